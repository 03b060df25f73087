package org.tokentune.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokentune.BadInputException;
import org.tokentune.formats.ConfigReader;
import org.tokentune.testing.Said;

/** Every spelling of rotary positions that versions 4 and 5 of transformers write. */
class RopeParametersTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String LLAMA3 =
      "'rope_type': 'llama3', 'factor': 8.0, 'low_freq_factor': 1.0, 'high_freq_factor': 4.0,"
          + " 'original_max_position_embeddings': 1024";

  private static JsonNode json(String fields) {
    try {
      return JSON.readTree("{" + fields.replace('\'', '"') + "}");
    } catch (JsonProcessingException e) {
      throw new AssertionError(fields, e);
    }
  }

  private static RopeParameters read(String fields) {
    return read(json(fields));
  }

  private static RopeParameters read(JsonNode config) {
    return RopeParameters.read(ConfigReader.of(config, "test"), 4096, 10000);
  }

  @Test
  void frequenciesAreThoseOfTheFormulas() {
    // Radians a position of a head of 8 with theta 10000, without scaling: 1, 0.1, 0.01, 0.001.
    assertArrayEquals(
        new float[] {0.25f, 0.025f, 0.0025f, 0.00025f},
        read("'rope_scaling': {'type': 'linear', 'factor': 4}").frequencies(8),
        1e-8f);
    // Turns in 1024 positions: 163, 16.3, 1.63, 0.163: the third lies (1.63 - 1) / 3 on the way.
    double share = (1024 * 0.01 / (2 * Math.PI) - 1) / 3;
    assertArrayEquals(
        new float[] {1, 0.1f, (float) (0.01 * ((1 - share) / 8 + share)), 0.001f / 8},
        read("'rope_scaling': {" + LLAMA3 + "}").frequencies(8),
        1e-8f);
  }

  private static void same(RopeParameters actual, double attention, double... frequencies) {
    assertEquals(attention, actual.attentionFactor(), 1e-12);
    float[] computed = actual.frequencies(16);
    for (int i = 0; i < computed.length; i++) {
      assertEquals(frequencies[i], computed[i], 2e-7 * frequencies[i], actual + " " + i);
    }
  }

  /** By transformers 5.24.0's ROPE_INIT_FUNCTIONS, for a head of 16 and 4096 positions. */
  @Test
  void scalingsAreTransformers() {
    String yarn =
        "'rope_scaling': {'type': 'yarn', 'factor': 4.0, 'original_max_position_embeddings': 1024";
    double[] expected = {
      1,
      0.316227764,
      0.0812500045,
      0.0197642371,
      0.00437500002,
      0.000790569466,
      0.000250000012,
      7.90569466e-05
    };
    same(read(yarn + "}"), 1.138629436111989, expected);
    same(read(yarn + ", 'attention_factor': 1.5}"), 1.5, expected);
    same(
        read(yarn + ", 'beta_fast': 16, 'beta_slow': 2, 'mscale': 0.7, 'mscale_all_dim': 0.5}"),
        1.0259286501478284,
        1,
        0.316227764,
        0.100000001,
        0.0197642371,
        0.00249999994,
        0.000790569466,
        0.000250000012,
        7.90569466e-05);
    same(
        read("'rope_parameters': {'rope_type': 'dynamic', 'factor': 4.0}"),
        1,
        1,
        0.316227764,
        0.100000001,
        0.0316227786,
        0.00999999978,
        0.00316227786,
        0.00100000005,
        0.000316227786);
    for (String type : List.of("longrope", "su", "yarn")) { // the last two in early files of Phi-3
      RopeParameters longRope =
          read(
              "'original_max_position_embeddings': 1024, 'rope_scaling': {'type': '"
                  + type
                  + "', 'short_factor': [1, 1.125, 1.25, 1.375, 1.5, 1.625, 1.75, 1.875],"
                  + " 'long_factor': [2, 3, 4, 5, 6, 7, 8, 9]}");
      same(
          longRope,
          1.0954451150103321,
          1,
          0.281091362,
          0.0799999982,
          0.0229983833,
          0.00666666683,
          0.00194601703,
          0.000571428565,
          0.000168654806);
      assertEquals(1024, longRope.maxPositions(4096), "longer texts need the other divisors");
    }
  }

  @Test
  void theSameIsReadFromEverySpelling() {
    RopeParameters plain = RopeParameters.of(5e5);
    for (String spelling :
        List.of(
            "'rope_theta': 500000",
            "'rope_theta': 5e5, 'rope_scaling': null",
            "'rope_theta': 5e5, 'rope_scaling': {}",
            "'rope_parameters': {'rope_theta': 500000.0, 'rope_type': 'default'}",
            "'rope_parameters': {'rope_theta': 500000.0}",
            "'rope_theta': 5e5, 'rope_parameters': {'rope_type': 'default'}",
            "'rope_theta': 5e5, 'rope_parameters': {'rope_theta': 5e5, 'rope_type': 'default'}",
            "'rope_scaling': {'rope_theta': 5e5, 'rope_type': 'default'}",
            "'rope_parameters': {'full_attention': {'rope_theta': 5e5, 'rope_type': 'default'}}",
            "'rope_parameters': {'full_attention': {'rope_theta': 5e5}, 'sliding_attention': null}",
            "'rope_theta': 5e5, 'rope_scaling': {'type': 'linear', 'factor': 1.0}",
            "'rope_theta': 5e5, 'rope_parameters': {'rope_type': 'default', 'partial_rotary_factor': 1.0}")) {
      assertEquals(plain, read(spelling), spelling);
    }
    RopeParameters llama3 = new RopeParameters(5e5, RopeParameters.Type.LLAMA3, 8, 1, 4, 1024);
    for (String spelling :
        List.of(
            "'rope_theta': 5e5, 'rope_scaling': {" + LLAMA3 + "}",
            "'rope_parameters': {'rope_theta': 5e5, " + LLAMA3 + "}",
            "'rope_theta': 5e5, 'rope_parameters': {" + LLAMA3 + "}",
            "'rope_theta': 5e5, 'rope_scaling': {"
                + LLAMA3
                + "}, 'rope_parameters': {'rope_theta':"
                + " 5e5, "
                + LLAMA3
                + "}")) {
      assertEquals(llama3, read(spelling), spelling);
    }
    // transformers 5: the positions of the first training are by default the model's own
    assertEquals(
        4096,
        read("'rope_scaling': {'rope_type': 'llama3', 'factor': 8, 'low_freq_factor': 1,"
                + " 'high_freq_factor': 4}")
            .originalPositions());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        // two spellings that differ
        "'rope_theta': 10000, 'rope_parameters': {'rope_theta': 500000}",
        "'rope_scaling': {'type': 'linear', 'factor': 2.0}, 'rope_parameters': {'rope_theta': 10000}",
        // transformers 5 takes rope_scaling, and 10000 for theta
        "'rope_scaling': {'type': 'linear', 'factor': 2.0}, 'rope_parameters': {'rope_theta': 500000,"
            + " 'rope_type': 'linear', 'factor': 2.0}",
        "'rope_parameters': {'full_attention': {'rope_theta': 1e6}, 'sliding_attention':"
            + " {'rope_theta': 1e4}}",
        "'rope_scaling': {'rope_type': 'linear', 'type': 'llama3', 'factor': 2.0}",
        // what is not computed
        "'rope_scaling': {'type': 'yarn', 'factor': 4, 'truncate': false}",
        "'rope_scaling': {'type': 'proportional', 'factor': 4}",
        "'rope_parameters': {'rope_type': 'longrope', 'short_factor': [1]}",
        "'rope_parameters': {'rope_type': 'longrope', 'short_factor': [1], 'long_factor': [-1]}",
        "'rope_parameters': {'rope_type': 'default', 'partial_rotary_factor': 0.5}",
        "'rope_scaling': {'rope_type': 'default', 'mrope_section': [16, 24, 24]}",
        // what is incomplete or of another kind
        "'rope_scaling': {'factor': 4}",
        "'rope_scaling': {'type': 'linear'}",
        "'rope_scaling': {'type': 'yarn'}",
        "'rope_scaling': {'type': 'dynamic'}",
        "'rope_scaling': {'type': 'longrope'}",
        "'rope_scaling': {'type': 'linear', 'factor': '4'}",
        "'rope_scaling': {'type': 'linear', 'factor': -4}",
        "'rope_scaling': 'linear'",
        "'rope_scaling': {'rope_type': 'llama3', 'factor': 8}",
        "'rope_theta': 'abc'",
        "'rope_theta': 0",
        "'rope_theta': true"
      })
  void whatIsNotMeantOrNotKnownIsRefusedByName(String fields) {
    String message = assertThrows(BadInputException.class, () -> read(fields)).getMessage();
    System.out.println(message);
    assertTrue(message.startsWith("test: ") && message.contains("rope_"), message);
  }

  @Test
  void whatIsWrittenIsReadAlike() {
    for (RopeParameters each :
        List.of(
            RopeParameters.of(10000),
            RopeParameters.of(5e5),
            new RopeParameters(1e6, RopeParameters.Type.LINEAR, 4, 1, 1, 1),
            new RopeParameters(1e6, RopeParameters.Type.DYNAMIC, 4, 1, 1, 1),
            new RopeParameters(
                1e6, RopeParameters.Type.YARN, 4, 1, 32, 1024, 1.2, List.of(), List.of()),
            new RopeParameters(
                1e4,
                RopeParameters.Type.LONGROPE,
                1,
                1,
                1,
                1024,
                1.19,
                List.of(1.0, 1.5),
                List.of(2.0, 3.0)),
            new RopeParameters(5e5, RopeParameters.Type.LLAMA3, 8, 1, 4, 1024))) {
      ObjectNode config = JSON.createObjectNode();
      each.write(config);
      System.out.println(config);
      assertEquals(each, read(config));
      config.remove("rope_parameters"); // as transformers 4 reads it
      assertEquals(each, read(config));
    }
  }

  /** transformers 4 refuses any other field in it. */
  @Test
  void longRopeIsWrittenWithThreeFields() {
    ObjectNode config =
        (ObjectNode)
            json(
                "'max_position_embeddings': 4096, 'original_max_position_embeddings': 1024,"
                    + " 'rope_scaling': {'type': 'su', 'short_factor': [1.0], 'long_factor': [2.0]}");
    RopeParameters read = read(config);
    read.write(config);
    assertEquals(
        "{\"type\":\"longrope\",\"short_factor\":[1.0],\"long_factor\":[2.0]}",
        config.path("rope_scaling").toString());
    assertEquals(read, read(config));
  }

  /** findings/transformers-gemma3-ignores-flat-rope-parameters.sh shows it. */
  @Test
  void saysThatParametersBesideLayerTypesAreNotUsed() {
    JsonNode config =
        json("'rope_parameters': {'rope_theta': 500.0, 'full_attention': {'rope_theta': 2e6}}");
    String log =
        Said.by(
            () ->
                assertEquals(
                    RopeParameters.of(2e6),
                    RopeParameters.read(
                        ConfigReader.of(config, "flat"), LlamaFields.FULL_ATTENTION, 4096, 1e6)));
    System.out.println(log.strip());
    assertTrue(log.contains("rope_parameters has [rope_theta] outside its layer types"), log);
  }
}
