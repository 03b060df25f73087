package org.tokentune;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.formats.SafeTensors;
import org.tokentune.models.Encoder;
import org.tokentune.models.EncoderConfig;
import org.tokentune.models.Head;
import org.tokentune.models.ModelGraph;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.internal.Graph;
import org.tokentune.select.TokenSelection;
import org.tokentune.select.TokenSelector;

/** A two-layer BERT with golden weights, and random batches for it. */
public final class SmallBert {

  public static final Path FOLDER = Path.of("src/test/resources/golden/bert");

  private SmallBert() {}

  public static Parameters parameters(Path folder) {
    Map<String, INDArray> weights = new LinkedHashMap<>();
    try (SafeTensors source = SafeTensors.open(folder.resolve("model.safetensors"))) {
      source.names().forEach(name -> weights.put(name, source.read(name)));
    }
    return new Parameters(weights);
  }

  public static Encoder bert(double dropout, Head head) {
    Path file = FOLDER.resolve("config.json");
    try {
      EncoderConfig config =
          EncoderConfig.read(new ObjectMapper().readTree(file.toFile()), file.toString());
      return new Encoder(config.withDropout(dropout), head);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Texts of random lengths, labelled with the range that most of their ids fall into. */
  public static Map<String, INDArray> batch(int step, TokenSelector selector, boolean dropout) {
    SplittableRandom random = new SplittableRandom(step);
    int length = 9 + random.nextInt(3) * 2;
    int[][] ids = new int[4][length];
    int[][] mask = new int[4][length];
    int[] lengths = new int[4];
    int[] labels = new int[4];
    for (int row = 0; row < 4; row++) {
      lengths[row] = row == 0 ? length : 2 + random.nextInt(length - 1);
      labels[row] = random.nextInt(3);
      for (int i = 0; i < lengths[row]; i++) {
        ids[row][i] = 3 + 20 * labels[row] + random.nextInt(20);
        mask[row][i] = 1;
      }
    }
    Map<String, INDArray> inputs = new HashMap<>();
    inputs.put(ModelGraph.INPUT_IDS, Nd4j.createFromArray(ids));
    inputs.put(ModelGraph.ATTENTION_MASK, Nd4j.createFromArray(mask));
    inputs.put(ModelGraph.TOKEN_TYPE_IDS, Nd4j.zeros(DataType.INT32, 4, length));
    inputs.put(ModelGraph.LABELS, Nd4j.createFromArray(labels));
    TokenSelection selection = selector.select(lengths, length, null, 7, 0, step);
    if (!selection.all()) {
      inputs.put(ModelGraph.SELECTED, Nd4j.createFromArray(selection.selected()));
      inputs.put(ModelGraph.FROZEN, Nd4j.createFromArray(selection.frozen()));
    }
    if (dropout) {
      inputs.put(Graph.DROPOUT_SEED, Nd4j.scalar(1000 + step));
    }
    return inputs;
  }
}
