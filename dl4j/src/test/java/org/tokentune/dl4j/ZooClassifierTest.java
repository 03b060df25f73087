package org.tokentune.dl4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.BadInputException;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.Labels;
import org.tokentune.datasets.TextBatches;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.formats.ModelFiles;
import org.tokentune.objectives.Objectives;
import org.tokentune.zoo.Zoo;

class ZooClassifierTest {

  private static final String MODEL = "all-minilm-l6-v2";

  @Test
  void trainsRealWeightsOnTexts() {
    List<Example> rows =
        List.of(
            new Example("a warm and funny film, and well played", "good"),
            new Example("dull from the first scene to the last", "bad"),
            new Example("I would see it again at once", "good"),
            new Example("a waste of an evening", "bad"));
    ComputationGraph net = ZooClassifier.of(MODEL, 2).initPretrained();
    try (ModelFiles files = Zoo.load(MODEL);
        TextTokenizer tokenizer = TextTokenizer.open(files, 128, true)) {
      assertArrayEquals(
          files.weights().read("embeddings.word_embeddings.weight").getRow(101).toFloatVector(),
          net.getVertex("encoder")
              .paramTable(false)
              .get("bert.embeddings.word-embeddings.weight")
              .getRow(101)
              .toFloatVector());
      TextBatches batches =
          new TextBatches(rows, Labels.of(Objectives.CLASSIFY, rows), tokenizer, 4, 42);
      MultiDataSet all = batches.next();
      double before = net.score(all);
      net.fit(batches, 3); // from the first batch on
      double after = net.score(all);
      System.out.printf("%s in a ComputationGraph: loss %.4f, then %.4f%n", MODEL, before, after);
      assertTrue(after < 0.75 * before, before + " then " + after);
      INDArray probabilities = net.outputSingle(all.getFeatures());
      assertArrayEquals(
          all.getLabels(0).argMax(1).toIntVector(), probabilities.argMax(1).toIntVector());
    }
  }

  @Test
  void refusesSingleClassesAndUnknownNames() {
    assertThrows(BadInputException.class, () -> ZooClassifier.of(MODEL, 1));
    assertThrows(
        BadInputException.class, () -> ZooClassifier.of("no-such-model", 2).initPretrained());
  }
}
