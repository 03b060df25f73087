package org.tokentune.dl4j;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;
import org.nd4j.shade.jackson.databind.node.ObjectNode;
import org.tokentune.BadInputException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.Pooling;
import org.tokentune.testing.Fuzz;
import org.tokentune.testing.Mutation;

/**
 * Damages what a saved network's {@code configuration.json} says of an {@link EncoderVertex}. The
 * rest of the file, and the other files of the zip, are read by DL4J alone.
 */
class FuzzTest {

  private static final String VERTEX = "vertex.json";
  private static final String ENCODER = "encoder.json";
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  @Test
  void vertices() throws Exception {
    try (ModelFiles files = TestEncoder.golden(0)) {
      ComputationGraph net = TestEncoder.classifier(files, Pooling.FIRST, "3");
      String whole = net.getConfiguration().toJson();
      ObjectNode vertex = (ObjectNode) vertex(JSON.readTree(whole));
      byte[] encoder = vertex.get("encoder").asText().getBytes(StandardCharsets.UTF_8);
      Fuzz.Reader reader = at -> outputs(at, whole, net.params());
      Fuzz fuzz =
          new Fuzz(folder, BadInputException.class)
              .with(VERTEX, JSON.writeValueAsBytes(vertex.without("encoder")))
              .with(ENCODER, encoder);
      fuzz.run(VERTEX, reader, List.of(Mutation::json), "3:1269");
      fuzz.run(ENCODER, reader, List.of(Mutation::json));
    }
  }

  private static JsonNode vertex(JsonNode configuration) {
    return configuration.at("/vertices/encoder");
  }

  private static List<Float> outputs(Path at, String whole, INDArray params) throws IOException {
    ComputationGraph net;
    try {
      ObjectNode root = (ObjectNode) JSON.readTree(whole);
      ObjectNode vertex = (ObjectNode) JSON.readTree(Files.readAllBytes(at.resolve(VERTEX)));
      if (Files.size(at.resolve(ENCODER)) > 0) {
        vertex.put("encoder", Files.readString(at.resolve(ENCODER)));
      }
      ((ObjectNode) root.get("vertices")).set("encoder", vertex);
      net = new ComputationGraph(ComputationGraphConfiguration.fromJson(root.toString()));
    } catch (RuntimeException | IOException e) {
      throw new BadInputException(e, "DL4J refuses %s", at.getFileName());
    }
    try {
      net.init(params.dup(), false);
      INDArray[] output = net.output(TestEncoder.batch(1).getFeatures());
      net.fit(TestEncoder.batch(1));
      return IntStream.range(0, (int) output[0].length()).mapToObj(output[0]::getFloat).toList();
    } catch (BadInputException e) {
      throw new BadInputException(e, "%s: %s", at.getFileName(), e.getMessage());
    } catch (RuntimeException e) {
      if (Stream.of(e.getStackTrace()).anyMatch(FuzzTest::isOurs)) {
        throw e;
      }
      throw new BadInputException(e, "DL4J refuses %s", at.getFileName());
    }
  }

  private static boolean isOurs(StackTraceElement frame) {
    return frame.getClassName().startsWith("org.tokentune.")
        && !frame.getClassName().startsWith("org.tokentune.testing.")
        && !frame.getClassName().startsWith(FuzzTest.class.getName());
  }
}
