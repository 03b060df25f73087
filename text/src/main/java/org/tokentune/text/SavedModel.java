package org.tokentune.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiPredicate;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadFileException;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.AdapterFolder;
import org.tokentune.datasets.TokenizerJson;
import org.tokentune.files.ModelWriter;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.WeightSource;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;

/** Writes a tuned model as a Hugging Face folder with SameDiff's file in it. */
final class SavedModel {

  /** The inference graph, as {@code SameDiff.load} reads it. */
  static final String SAMEDIFF_FILE = "model.fb";

  /** SameDiff's file format ends at 1 GiB; the graph itself needs a little. */
  private static final long MOST_SAMEDIFF_BYTES = (1L << 30) - (1L << 24);

  private static final String POOLER = "pooler.";

  private SavedModel() {}

  /**
   * Rejects the folder of a model as the place for another format of it, which would replace it.
   *
   * @throws BadFileException if it is
   */
  static void checkOther(ModelFiles files, Path folder) {
    File own = new File(files.name()); // a name that is no path is no file
    try {
      if (own.exists() && Files.exists(folder) && Files.isSameFile(own.toPath(), folder)) {
        throw new BadFileException(
            "%s is the folder of the model itself, which would be replaced; name another folder.",
            folder);
      }
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be accessed; name another folder.", folder);
    }
  }

  /**
   * Writes it; a model in the folder is replaced, nothing half-written stays.
   *
   * @param adapter whose weights are merged in; null for none
   * @param files that it was made of, for the tokenizer
   * @return whether the SameDiff file was written: models past its format's 1 GiB go without
   */
  static boolean write(
      Path folder,
      JsonNode config,
      TransformerModel model,
      Parameters parameters,
      Adapter adapter,
      ModelFiles files) {
    ModelWriter.Extra companions = staged -> TokenizerJson.writeCompanions(staged, files);
    return write(folder, config, model, parameters, adapter, companions, files);
  }

  /**
   * The same with other files beside it.
   *
   * @param companions writes them
   */
  static boolean write(
      Path folder,
      JsonNode config,
      TransformerModel model,
      Parameters parameters,
      Adapter adapter,
      ModelWriter.Extra companions,
      ModelFiles files) {
    return merged(
        model,
        parameters,
        adapter,
        (base, merged) -> write(folder, config, merged.asMap(), base, merged, companions, files));
  }

  /**
   * Writes a model while its adapter is merged in.
   *
   * @param adapter null for none
   */
  static boolean merged(
      TransformerModel model,
      Parameters parameters,
      Adapter adapter,
      BiPredicate<TransformerModel, Parameters> write) {
    if (adapter == null) {
      return write.test(model, parameters);
    }
    adapter.merge();
    try {
      return write.test(adapter.model().base(), adapter.baseParameters());
    } finally {
      adapter.unmerge();
    }
  }

  /** Bytes of all files together, but for small ones. */
  static long bytes(Parameters parameters) {
    long weights = weightBytes(parameters);
    return weights < MOST_SAMEDIFF_BYTES ? 2 * weights : weights;
  }

  private static long weightBytes(Parameters parameters) {
    return parameters.asMap().values().stream().mapToLong(a -> a.length() * Float.BYTES).sum();
  }

  /**
   * Writes a model whose weights have other names in its files.
   *
   * @param weights as they are written
   * @param companions writes the files beside them
   */
  static boolean write(
      Path folder,
      JsonNode config,
      Map<String, INDArray> weights,
      TransformerModel model,
      Parameters parameters,
      ModelWriter.Extra companions,
      ModelFiles files) {
    boolean sameDiff = weightBytes(parameters) < MOST_SAMEDIFF_BYTES;
    ModelWriter.Extra graph =
        staged ->
            write(
                model.build(parameters, GraphOptions.inference()).sd(),
                staged.resolve(SAMEDIFF_FILE));
    ModelWriter.write(
        folder,
        config,
        weights,
        TokenizerJson.saved(files),
        sameDiff ? List.of(companions, graph) : List.of(companions));
    return sameDiff;
  }

  /**
   * The layers of a pooler in a model's files, which have no part in vectors or hidden words; but
   * loaders of the encoder expect one that it had, and classifiers begin with it.
   *
   * @return by their names in a model with a head
   */
  static Map<String, INDArray> poolers(ModelFiles files, TransformerModel model) {
    WeightSource weights = files.weights();
    String prefix = model.prefix();
    boolean bare = weights.names().stream().noneMatch(name -> name.startsWith(prefix));
    Map<String, INDArray> poolers = new LinkedHashMap<>();
    for (String name : weights.names()) {
      boolean own = name.startsWith(prefix + POOLER) || (bare && name.startsWith(POOLER));
      if (own) {
        INDArray array = weights.read(name);
        if (array.dataType().isFPType()) {
          poolers.put(bare ? prefix + name : name, array);
        }
      }
    }
    return poolers;
  }

  /**
   * Writes adapters alone, as PEFT has them, and the tokenizer's files beside them, as those who
   * train with PEFT do.
   *
   * @param config what the head's outputs mean; null for a language model
   * @param files of the base
   */
  static void writeAdapter(Path folder, JsonNode config, Adapter adapter, ModelFiles files) {
    ModelWriter.Extra tokenizer = staged -> TokenizerJson.write(staged, files);
    AdapterFolder.write(folder, adapter, files.address(), config, List.of(tokenizer));
  }

  /** SameDiff wraps exceptions. */
  private static void write(SameDiff graph, Path file) throws IOException {
    try {
      graph.save(file.toFile(), false);
    } catch (RuntimeException e) {
      if (e.getCause() instanceof IOException cause) {
        throw cause;
      }
      throw e;
    }
  }
}
