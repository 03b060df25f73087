package org.tokentune.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.SafeTensors;
import org.tokentune.formats.WeightSource;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.SentenceModules;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.internal.OptimizerStep;
import org.tokentune.train.CachedVectors;
import org.tokentune.train.StepInputs;
import org.tokentune.train.TrainingEngine;

/** A batch in parts has the loss and the gradients of the whole batch. */
class CachedVectorsTest {

  private static final Path FOLDER =
      Path.of("../tokentune-samediff/src/test/resources/golden/embed-mean");

  /** Adds up gradients. */
  private static final class Sums implements OptimizerStep {

    final Map<String, INDArray> sums = new HashMap<>();

    @Override
    public void update(String name, INDArray variable, long firstRow, INDArray gradient) {
      INDArray sum = sums.computeIfAbsent(name, key -> variable.like());
      OptimizerStep.rows(sum, firstRow, gradient).addi(gradient);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "mnrl-tokentune, 2",
    "mnrl-tokentune, 5",
    "mnrl-symmetric, 4",
    "mnrl-matryoshka-tokentune, 1",
    "mnrl-matryoshka-tokentune, 4",
    "mnrl-tokentune, 1",
    "cosent, 1",
    "triplet, 7",
    "cosent, 3",
    "cosine, 12"
  })
  void partsAddUpToTheBatch(String name, int texts) {
    Map<String, INDArray> golden = new HashMap<>();
    try (SafeTensors file = SafeTensors.open(FOLDER.resolve(name + ".safetensors"))) {
      file.names().forEach(tensor -> golden.put(tensor, file.read(tensor)));
    }
    EmbeddingCase one = EmbeddingCase.of(name, golden);
    ModelConfig config = ModelConfig.read(ModelFolder.config(FOLDER), "golden").withDropout(0);
    SentenceModules modules =
        SentenceModules.read(
            CompanionFiles.in(FOLDER), ModelFolder.config(FOLDER), FOLDER.toString());
    TransformerModel model =
        config.model(Head.ofSentences(Objectives.embed(one.loss()), modules, config.hidden()));
    Parameters parameters;
    try (WeightSource weights = ModelFolder.weights(FOLDER)) {
      parameters = ParameterLoader.load(model, weights);
    }
    GraphOptions options =
        GraphOptions.training(StepInputs.areSplit(one.inputs()), any -> true)
            .withKernelMode(KernelMode.preferred());
    Sums sums = new Sums();
    try (TrainingEngine whole =
            new TrainingEngine(
                model.build(parameters, options), List.of(), ActivationCheckpointing.NOTHING);
        TrainingEngine parts =
            new TrainingEngine(
                model.build(parameters, options.withUpstream()),
                ActivationCheckpointing.NOTHING,
                sums);
        CachedVectors cached = new CachedVectors(one.loss(), model.head().outputs(), texts)) {
      TrainingEngine.Result expected = whole.run(one.inputs());
      double loss = cached.run(one.inputs(), 1, parts, part -> null, result -> true);
      assertEquals(expected.loss(), loss, 1e-6 * Math.abs(expected.loss()));
      double largest =
          expected.gradients().values().stream()
              .mapToDouble(gradient -> gradient.amaxNumber().doubleValue())
              .max()
              .orElseThrow();
      double worst = 0;
      for (Map.Entry<String, INDArray> gradient : expected.gradients().entrySet()) {
        double size = Math.max(1e-4 * largest, gradient.getValue().amaxNumber().doubleValue());
        INDArray gap = gradient.getValue().sub(sums.sums.get(gradient.getKey()));
        worst = Math.max(worst, gap.amaxNumber().doubleValue() / size);
      }
      System.out.println(
          name + " in parts of " + texts + " texts: loss " + loss + ", worst error " + worst);
      assertTrue(worst < 1e-5, name + ": " + worst);
    }
  }
}
