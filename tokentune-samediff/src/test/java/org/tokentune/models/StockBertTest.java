package org.tokentune.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.SafeTensors;
import org.tokentune.formats.WeightSource;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.select.AllTokens;
import org.tokentune.select.TokenSelection;
import org.tokentune.train.SameDiffEngine;

/** The model against a BERT of stock SameDiff ops alone, whose gradients are SameDiff's own. */
class StockBertTest {

  private static final Path FOLDER = Path.of("src/test/resources/golden/bert");

  @Test
  void allTokensGiveTheGradientsOfStockOps() {
    EncoderConfig config =
        EncoderConfig.read(ModelFolder.config(FOLDER), FOLDER.toString()).withDropout(0);
    Encoder bert = new Encoder(config, new Head(Objectives.CLASSIFY, 3, Pooling.FIRST));
    Parameters parameters;
    try (WeightSource weights = ModelFolder.weights(FOLDER)) {
      parameters = ParameterLoader.load(bert, weights);
    }
    Map<String, INDArray> inputs = new HashMap<>();
    try (SafeTensors golden = SafeTensors.open(FOLDER.resolve("classify.safetensors"))) {
      for (String name : List.of("input_ids", "attention_mask", "token_type_ids", "labels")) {
        inputs.put(name, golden.read(name).castTo(DataType.INT32));
      }
    }
    int batch = (int) inputs.get("input_ids").size(0);
    int length = (int) inputs.get("input_ids").size(1);
    int[] lengths = new int[batch];
    Arrays.fill(lengths, length);
    TokenSelection all = new AllTokens().select(lengths, length, null, 1, 0, 0);
    assertTrue(all.all());
    SameDiffEngine.Result ours =
        new SameDiffEngine(bert.build(parameters, GraphOptions.training(false, name -> true)))
            .run(inputs, List.of(ModelGraph.LOGITS));

    Stock stock = new Stock(config, parameters, inputs, batch, length);
    Map<String, INDArray> expected =
        stock.sd.calculateGradients(Map.of(), parameters.names().toArray(new String[0]));
    double largest =
        expected.values().stream()
            .mapToDouble(g -> g.amaxNumber().doubleValue())
            .max()
            .orElseThrow();
    double worst = 0;
    for (String name : parameters.names()) {
      INDArray gradient = expected.get(name);
      double scale = Math.max(1e-4 * largest, gradient.amaxNumber().doubleValue());
      INDArray gap = gradient.sub(ours.gradients().get(name));
      worst = Math.max(worst, gap.amaxNumber().doubleValue() / scale);
    }
    double loss = stock.sd.getVariable("loss").eval().getDouble(0);
    System.out.printf(
        "stock ops: loss %.6f, ours %.6f; %d gradients, largest relative error %.1e%n",
        loss, ours.loss(), expected.size(), worst);
    assertEquals(loss, ours.loss(), 1e-5);
    assertTrue(worst < 1e-5);
  }

  /** BERT for classes, after its paper; tables are read as products with one-hot rows. */
  private static final class Stock {

    final SameDiff sd = SameDiff.create();
    private final Map<String, SDVariable> variables = new HashMap<>();
    private final EncoderConfig config;

    Stock(
        EncoderConfig config,
        Parameters parameters,
        Map<String, INDArray> inputs,
        int batch,
        int length) {
      this.config = config;
      parameters.asMap().forEach((name, array) -> variables.put(name, sd.var(name, array.dup())));
      INDArray positions =
          Nd4j.tile(Nd4j.arange((double) length).castTo(DataType.INT32).reshape(1, -1), batch, 1);
      SDVariable x =
          lookup("word", inputs.get("input_ids"), config.vocabulary())
              .add(lookup("position", positions, config.maxPositions()))
              .add(lookup("token_type", inputs.get("token_type_ids"), config.tokenTypes()));
      x = norm(x, "bert.embeddings.LayerNorm");
      INDArray hidden = inputs.get("attention_mask").castTo(DataType.FLOAT).rsub(1).mul(-1e9);
      SDVariable bias = sd.constant(hidden.reshape(batch, 1, 1, length));
      for (int i = 0; i < config.layers(); i++) {
        String layer = "bert.encoder.layer." + i + ".";
        SDVariable q = heads(linear(x, layer + "attention.self.query"), batch, length);
        SDVariable k = heads(linear(x, layer + "attention.self.key"), batch, length);
        SDVariable v = heads(linear(x, layer + "attention.self.value"), batch, length);
        double size = (double) config.hidden() / config.attention().heads();
        SDVariable scores = sd.mmul(q, k, false, true, false).div(Math.sqrt(size)).add(bias);
        SDVariable context = sd.mmul(sd.nn().softmax(scores, 3), v).permute(0, 2, 1, 3);
        SDVariable flat = context.reshape(batch * length, config.hidden());
        x =
            norm(
                x.add(linear(flat, layer + "attention.output.dense")),
                layer + "attention.output.LayerNorm");
        SDVariable inner = linear(x, layer + "intermediate.dense");
        SDVariable gelu =
            inner.mul(0.5).mul(sd.math().erf(inner.div(Math.sqrt(2))).add(1)); // Hendrycks, 2016
        x = norm(x.add(linear(gelu, layer + "output.dense")), layer + "output.LayerNorm");
      }
      SDVariable first =
          sd.stridedSlice(
                  x.reshape(batch, length, config.hidden()),
                  new long[] {0, 0, 0},
                  new long[] {batch, 1, config.hidden()},
                  1,
                  1,
                  1)
              .reshape(batch, config.hidden());
      SDVariable logits = linear(sd.math().tanh(linear(first, "bert.pooler.dense")), "classifier");
      INDArray classes = Nd4j.zeros(batch, 3);
      for (int row = 0; row < batch; row++) {
        classes.putScalar(row, inputs.get("labels").getInt(row), 1);
      }
      sd.loss().softmaxCrossEntropy("loss", sd.constant(classes), logits, null);
      sd.setLossVariables("loss");
    }

    private SDVariable lookup(String table, INDArray ids, int size) {
      INDArray flat = ids.reshape(-1);
      INDArray rows = Nd4j.zeros(flat.length(), size);
      for (int i = 0; i < flat.length(); i++) {
        rows.putScalar(i, flat.getInt(i), 1);
      }
      return sd.mmul(
          sd.constant(rows), variables.get("bert.embeddings." + table + "_embeddings.weight"));
    }

    private SDVariable linear(SDVariable x, String name) {
      return sd.mmul(x, variables.get(name + ".weight"), false, true, false)
          .add(variables.get(name + ".bias"));
    }

    private SDVariable heads(SDVariable x, int batch, int length) {
      return x.reshape(
              batch,
              length,
              config.attention().heads(),
              config.hidden() / config.attention().heads())
          .permute(0, 2, 1, 3);
    }

    private SDVariable norm(SDVariable x, String name) {
      return sd.nn()
          .layerNorm(x, variables.get(name + ".weight"), variables.get(name + ".bias"), false, 1);
    }
  }
}
