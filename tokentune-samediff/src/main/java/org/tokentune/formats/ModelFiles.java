package org.tokentune.formats;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/**
 * A model's files, regardless of where they are stored.
 *
 * @param name the model's name or folder, for messages
 * @param config as a Hugging Face {@code config.json}
 * @param weights tensors under Hugging Face's names
 * @param tokenizer the data the tokenizer is built from; null where no text is read
 * @param companions additional files
 * @param repository owner and name on Hugging Face's hub; null if unknown
 */
public record ModelFiles(
    String name,
    JsonNode config,
    WeightSource weights,
    TokenizerSource tokenizer,
    CompanionFiles companions,
    String repository)
    implements AutoCloseable {

  private static final String GGUF = ".gguf";
  private static final String BIN = ".bin";

  /** llama2.c's names for vocabularies: tokenizer.bin, tok512.bin. */
  private static final String VOCABULARY = "tok*.bin";

  public ModelFiles {
    required(name, "name");
    required(config, "config");
    required(weights, "weights");
    required(companions, "companions");
  }

  /** A model without companion files. */
  public ModelFiles(String name, JsonNode config, WeightSource weights, TokenizerSource tokenizer) {
    this(name, config, weights, tokenizer, CompanionFiles.NONE, null);
  }

  /** The same files under another name and hub repository. */
  public ModelFiles named(String otherName, String otherRepository) {
    return new ModelFiles(otherName, config, weights, tokenizer, companions, otherRepository);
  }

  /**
   * An address that others can load the model from: its name on the hub, else its URL or absolute
   * path.
   */
  public String address() {
    if (repository != null) {
      return repository;
    }
    return name.contains("://") ? name : Path.of(name).toAbsolutePath().normalize().toString();
  }

  /**
   * Opens a model from any supported path: a Hugging Face folder, a {@code .gguf} file, llama2.c's
   * {@code .bin} with its vocabulary {@code tok*.bin} next to it, or a folder with one of the
   * latter two. Close the result.
   *
   * @throws BadInputException if it is none of these, or a file is missing or damaged
   */
  public static ModelFiles open(Path path) {
    required(path, "path");

    Path model = model(path);
    if (model.toString().endsWith(GGUF)) {
      return closingOnFailure(
          Gguf.open(model),
          file ->
              new ModelFiles(
                  path.toString(),
                  file.config(),
                  file,
                  file.vocabulary(),
                  file.companions(),
                  null));
    }
    if (model.toString().endsWith(BIN)) {
      return closingOnFailure(
          Llama2c.open(model),
          file ->
              new ModelFiles(
                  path.toString(), file.config(), file, file.vocabulary(vocabulary(model))));
    }
    return ModelFolder.open(model);
  }

  /**
   * Reads only the configuration, from any path that {@link #open} accepts or from a {@code
   * config.json}.
   */
  public static JsonNode config(Path path) {
    required(path, "path");

    Path model = model(path);
    if (model.toString().endsWith(GGUF)) {
      try (Gguf file = Gguf.open(model)) {
        return file.config();
      }
    }
    if (model.toString().endsWith(BIN)) {
      try (Llama2c file = Llama2c.open(model)) {
        return file.config();
      }
    }
    return Files.isDirectory(model)
        ? ModelFolder.config(model)
        : TextPart.config(ModelFolder.configFile(model), path.toString());
  }

  /** The single model file in a folder without {@code config.json}; otherwise the path itself. */
  private static Path model(Path path) {
    if (!Files.isDirectory(path) || Files.exists(path.resolve(ModelFolder.CONFIG))) {
      return path;
    }
    List<Path> models = list(path, "*" + GGUF);
    models.addAll(list(path, "*" + BIN));
    models.removeAll(list(path, VOCABULARY));
    if (models.size() > 1) {
      Path first = Gguf.firstPart(models);
      if (first != null) {
        return first;
      }
      throw new BadFileException("%s holds several models; name one of its files.", path);
    }
    return models.isEmpty() ? path : models.get(0);
  }

  private static Path vocabulary(Path model) {
    List<Path> found = list(model.toAbsolutePath().getParent(), VOCABULARY);
    if (found.size() != 1) {
      throw new BadFileException(
          "There are %d vocabularies %s next to %s; put exactly the model's own there.",
          found.size(), VOCABULARY, model);
    }
    return found.get(0);
  }

  private static List<Path> list(Path folder, String pattern) {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, pattern)) {
      entries.forEach(files::add);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be listed; check the path.", folder);
    }
    return files;
  }

  private interface Opening<T> {
    ModelFiles of(T weights);
  }

  private static <T extends WeightSource> ModelFiles closingOnFailure(T file, Opening<T> opening) {
    boolean complete = false;
    try {
      ModelFiles files = opening.of(file);
      complete = true;
      return files;
    } finally {
      if (!complete) {
        file.close();
      }
    }
  }

  @Override
  public void close() {
    weights.close();
  }
}
