package org.tokentune.text;

import static org.tokentune.Arguments.required;

import java.nio.file.Files;
import java.nio.file.Path;
import org.nd4j.linalg.api.buffer.DataType;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.datasets.TokenizerJson;
import org.tokentune.files.ModelWriter;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.StoredTensors;

/**
 * Writes a model as a Hugging Face folder with all its tensors under their names, in another type
 * of floats or other shards, and with the tokenizer and everything else that came with it. Tensors
 * are read and written one at a time.
 */
public final class SafeTensorsExport {

  /**
   * What was written.
   *
   * @param tensors their number
   * @param bytes of all tensors
   * @param files with tensors
   */
  public record Written(int tensors, long bytes, int files) {}

  private SafeTensorsExport() {}

  /**
   * Writes a model. One in the folder is replaced; nothing half-written stays.
   *
   * @throws BadInputException if a tensor holds bytes of a quantised weight, or a number that the
   *     type cannot hold, or if the folder cannot be written
   */
  public static Written write(ModelFiles files, Path folder, ModelWriter.Storage storage) {
    required(files, "files");
    required(folder, "folder");
    required(storage, "storage");

    SavedModel.checkOther(files, folder);
    ModelWriter.checkWritable(folder);
    StoredTensors tensors = StoredTensors.of(files.weights());
    long bytes = 0;
    for (String name : tensors.names()) {
      if (tensors.type(name) == DataType.INT8 || tensors.type(name) == DataType.UINT8) {
        throw new BadFileException(
            "%s stores the tensor %s as bytes, which have no meaning without its quantisation; name"
                + " the model that it was made of.",
            files.name(), name);
      }
      bytes += tensors.bytes(name, storage.type());
    }
    ModelWriter.checkSpace(folder, bytes);
    int[] shards = new int[1];
    ModelWriter.write(
        folder,
        staged -> {
          ModelWriter.writeConfig(staged, files.config(), storage.type());
          shards[0] = ModelWriter.writeWeights(staged, tensors, storage);
          Files.write(staged.resolve(ModelFolder.TOKENIZER), TokenizerJson.saved(files));
          TokenizerJson.writeCompanions(staged, files);
        });
    return new Written(tensors.names().size(), bytes, shards[0]);
  }
}
