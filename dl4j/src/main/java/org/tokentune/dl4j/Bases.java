package org.tokentune.dl4j;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32C;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.LoraModel;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.WeightSource;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.zoo.Zoo;

/** The weights that an {@link EncoderVertex} begins with, and those that it does not train. */
final class Bases {

  private Bases() {}

  /** A model with its weights by name. */
  record Weights(TransformerModel model, Map<String, INDArray> arrays) {}

  /** What {@link #reload} finds the model by: its name in the zoo, its address or its path. */
  static String address(ModelFiles files) {
    return files.repository() == null ? files.address() : Zoo.address(files.repository(), null);
  }

  /**
   * All weights of a model; those of adapters are new.
   *
   * @param seed of a pooler that the source does not have, and of adapters
   */
  static Weights read(TransformerModel model, WeightSource source, long seed) {
    if (model instanceof LoraModel adapted) {
      Parameters base = load(adapted.base(), source, seed);
      Adapter adapter = Adapter.fresh(adapted.base(), base, adapted.lora(), seed);
      return new Weights(model, new LinkedHashMap<>(adapter.parameters().asMap()));
    }
    return new Weights(model, new LinkedHashMap<>(load(model, source, seed).asMap()));
  }

  private static Parameters load(TransformerModel model, WeightSource source, long seed) {
    return ParameterLoader.loadEncoder(model, source, WeightStorage.FLOAT32, seed);
  }

  /**
   * The weights of a saved network that it does not train.
   *
   * @param trained names of the others
   * @param address as {@link #address} gave it
   * @param open the model's weights if they are open; null otherwise
   * @param checksum of the weights when the network was made
   * @throws BadInputException if the model is not there any more, or has changed
   */
  static Map<String, INDArray> reload(
      TransformerModel model,
      Set<String> trained,
      String address,
      WeightSource open,
      long seed,
      String checksum) {
    if (open != null) {
      return frozen(model, trained, open, seed);
    }
    if (address == null || checksum == null) {
      throw new BadFileException(
          "The network was saved before it was initialised; it does not say which weights its"
              + " encoder has.");
    }
    try (ModelFiles files = open(address)) {
      Map<String, INDArray> frozen = frozen(model, trained, files.weights(), seed);
      if (!checksum.equals(checksum(frozen))) {
        throw new BadFileException(
            "The weights of %s are not those that the network was trained on; put them back.",
            address);
      }
      return frozen;
    }
  }

  private static ModelFiles open(String address) {
    try {
      boolean path = !Zoo.isAddress(address) && Path.of(address).isAbsolute();
      return path ? ModelFiles.open(Path.of(address)) : Zoo.load(address);
    } catch (BadInputException e) {
      throw new BadFileException(
          e,
          "The network holds what it trains only, and its encoder's other weights are in %s, which"
              + " cannot be had: %s",
          address,
          e.getMessage());
    }
  }

  private static Map<String, INDArray> frozen(
      TransformerModel model, Set<String> trained, WeightSource source, long seed) {
    Map<String, INDArray> arrays = read(model, source, seed).arrays();
    arrays.keySet().removeAll(trained);
    return arrays;
  }

  /** Of the values, in order. */
  static String checksum(Map<String, INDArray> arrays) {
    CRC32C sum = new CRC32C();
    for (INDArray array : arrays.values()) {
      float[] values = array.data().asFloat();
      ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES);
      bytes.asFloatBuffer().put(values);
      sum.update(bytes);
    }
    return Long.toHexString(sum.getValue());
  }
}
