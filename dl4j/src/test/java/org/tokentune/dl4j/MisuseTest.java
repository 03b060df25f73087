package org.tokentune.dl4j;

import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.Pooling;
import org.tokentune.testing.Misuses;

/** What comes out of vertices and batches that make no sense. */
class MisuseTest {

  @Test
  void isRefused(@TempDir Path folder) throws IOException {
    INDArray ids = Nd4j.ones(DataType.INT32, 2, 4);
    INDArray floats = Nd4j.ones(DataType.FLOAT, 2, 4);
    try (ModelFiles files = TestEncoder.golden(0)) {
      ComputationGraph net = TestEncoder.classifier(files, Pooling.FIRST, "all");
      new Misuses(BadInputException.class)
          .refuses("EncoderVertex.of(null, ..)", "files", () -> EncoderVertex.of(null, "25%"))
          .refuses("EncoderVertex.of(.., null)", "tokens", () -> EncoderVertex.of(files, null))
          .refuses("EncoderVertex.of(.., \"lots\")", "lots", () -> EncoderVertex.of(files, "lots"))
          .refuses(
              "EncoderVertex.of(.., pooling null, ..)",
              "pooling",
              () -> EncoderVertex.of(files, null, "25%", 8, 1))
          .refuses(
              "EncoderVertex.of(.., minTokens -1, ..)",
              "-1",
              () -> EncoderVertex.of(files, Pooling.FIRST, "25%", -1, 1))
          .refuses("ZooClassifier.of(null, 2)", "model", () -> ZooClassifier.of(null, 2))
          .refuses("ZooClassifier.of(.., 1)", "classes", () -> ZooClassifier.of("gpt2", 1))
          .refuses(
              "ZooClassifier.of(\"no\", 2).initPretrained()",
              "nearest",
              () -> ZooClassifier.of("no", 2).initPretrained())
          .refuses("OmniHub.put(null, ..)", "folder", () -> OmniHub.put(null, "name"))
          .refuses("OmniHub.put(empty folder, ..)", "save", () -> OmniHub.put(folder, "name"))
          .refuses("OmniHub.file(\"../name\")", "../name", () -> OmniHub.file("../name"))
          .refuses(
              "ComputationGraph.output(fractional ids)",
              "0.5",
              () -> net.output(floats.mul(0.5), floats, floats.mul(0)))
          .refuses(
              "ComputationGraph.output(NaN ids)",
              "NaN",
              () ->
                  net.output(
                      Nd4j.valueArrayOf(new long[] {2, 4}, Float.NaN, DataType.FLOAT),
                      floats,
                      floats.mul(0)))
          .refuses(
              "ComputationGraph.output(ids beyond the vocabulary)",
              "1000000",
              () -> net.output(ids.mul(1000000), ids, ids.mul(0)))
          .refuses(
              "ComputationGraph.output(negative ids)",
              "-1",
              () -> net.output(ids.mul(-1), ids, ids.mul(0)))
          .refuses(
              "ComputationGraph.output(ids of rank 1)",
              "[8]",
              () -> net.output(ids.reshape(8), ids, ids))
          .refuses(
              "ComputationGraph.output(mask of another shape)",
              "attention mask",
              () -> net.output(ids, Nd4j.ones(DataType.INT32, 2, 3), ids.mul(0)))
          .refuses(
              "ComputationGraph.output(mask of zeros)",
              "attention mask",
              () -> net.output(ids, ids.mul(0), ids.mul(0)))
          .refuses(
              "ComputationGraph.output(token types beyond the model's)",
              "Token type 7",
              () -> net.output(ids, ids, ids.mul(7)))
          .check();
    }
  }
}
