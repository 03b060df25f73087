package org.tokentune.text;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.checkpoint.ModelFiles;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.datasets.TokenBatches;
import org.tokentune.models.Head;
import org.tokentune.models.Model;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.Task;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.train.InferenceEngine;
import org.tokentune.train.Placeholders;

/**
 * Turns texts into vectors of length 1: the mean of the last layer's hidden states over the text's
 * tokens, normalised (Reimers and Gurevych, Sentence-BERT, 2019). Their dot product is the cosine.
 */
public final class SentenceEncoder implements AutoCloseable {

  private static final int BATCH = 32;

  private final TextTokenizer tokenizer;
  private final InferenceEngine engine;
  private final String hidden;

  private SentenceEncoder(TextTokenizer tokenizer, InferenceEngine engine, String hidden) {
    this.tokenizer = tokenizer;
    this.engine = engine;
    this.hidden = hidden;
  }

  /**
   * Opens the encoder of a model.
   *
   * @param maxLength tokens to which texts are cut; null: texts longer than the model are refused
   */
  public static SentenceEncoder open(ModelFiles files, Integer maxLength) {
    ModelConfig config = ModelConfig.read(files.config(), files.name());
    // Of the graph only the encoder runs; the smallest head completes it.
    Model model = config.model(new Head(Task.TOKEN, 1, Pooling.MEAN));
    Parameters parameters =
        ParameterLoader.loadEncoder(model, files.weights(), WeightStorage.FLOAT32, 0);
    String hidden = ModelGraph.hidden(config.layers());
    return new SentenceEncoder(
        TextModel.tokenizer(files, config, maxLength),
        new InferenceEngine(model, parameters, List.of(hidden)),
        hidden);
  }

  /** A vector for every text, in their order. */
  public List<float[]> embed(List<String> texts) {
    List<TokenBatches.Row> rows =
        texts.stream()
            .map(text -> tokenizer.encode(text, null))
            .map(tokens -> new TokenBatches.Row(tokens.ids(), tokens.typeIds(), null))
            .toList();
    TokenBatches batches = TokenBatches.byLength(rows, Task.TOKEN, BATCH);
    int[] order = batches.order();
    float[][] vectors = new float[order.length][];
    for (int next = 0; batches.hasNext(); ) {
      int first = next;
      IntFunction<String> names = row -> '"' + texts.get(order[first + row]) + '"';
      for (float[] vector : embed(batches.next(), names).toFloatMatrix()) {
        vectors[order[next++]] = vector;
      }
    }
    return Arrays.asList(vectors);
  }

  private INDArray embed(MultiDataSet batch, IntFunction<String> names) {
    INDArray mask = batch.getFeatures(1);
    INDArray rows = engine.run(Placeholders.features(batch), names).get(hidden);
    INDArray weights = mask.castTo(DataType.FLOAT).reshape(mask.size(0), mask.size(1), 1);
    // The direction of the sum is that of the mean.
    INDArray sums = rows.reshape(mask.size(0), mask.size(1), -1).mul(weights).sum(1);
    return sums.div(sums.norm2(true, 1));
  }

  @Override
  public void close() {
    engine.close();
    tokenizer.close();
  }
}
