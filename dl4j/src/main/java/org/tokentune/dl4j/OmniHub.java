package org.tokentune.dl4j;

import static org.tokentune.Arguments.required;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.deeplearning4j.omnihub.OmnihubConfig;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.files.WholeFile;

/**
 * The folder of OmniHub, DL4J's own hub, on this machine: it loads {@code samediff/NAME.fb} there,
 * where the file exists, before it looks on the web. The folder is the one that OmniHub itself
 * takes: {@code .omnihub} in the user's home (with the environment's {@code OMNIHUB_HOME} set,
 * 1.0.0-M2.1 takes a folder of that very name in the working directory).
 */
public final class OmniHub {

  /** The file of a saved model's graph for plain SameDiff. */
  private static final String GRAPH = "model.fb";

  private OmniHub() {}

  /** Where OmniHub looks for a SameDiff model. */
  public static Path file(String name) {
    required(name, "name");

    if (!name.matches("\\w[\\w.-]*")) {
      throw new BadSettingsException(
          "'%s' is not a valid name of a model; use letters, digits, '.', '-' and '_'.", name);
    }
    return OmnihubConfig.getOmnihubHome().toPath().resolve("samediff").resolve(name + ".fb");
  }

  /**
   * Copies a saved model's graph to where OmniHub finds it: {@code
   * OmniHubUtils.loadSameDiffModel("NAME.fb")}. What was there is replaced; nothing half-written
   * stays.
   *
   * @param folder as {@code TextModel.save} wrote it
   * @return the copy
   * @throws BadInputException if there is no graph in the folder, or the copy cannot be written
   */
  public static Path put(Path folder, String name) {
    required(folder, "folder");
    required(name, "name");

    Path target = file(name);
    Path graph = folder.resolve(GRAPH);
    if (!Files.isRegularFile(graph)) {
      throw new BadFileException(
          "%s has no %s; save the model first (models above 1 GiB have none).", folder, GRAPH);
    }
    try {
      Files.createDirectories(target.getParent());
      WholeFile.write(target, out -> Files.copy(graph, out));
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be written: %s.", target, e);
    }
    return target;
  }
}
