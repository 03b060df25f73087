package org.tokentune.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.KernelMode;

/** Decoding with a cache gives the same logits as the full forward pass. */
class CachedDecoderTest {

  /** More than the first 64 cached tokens, so that several plans share one cache. */
  private static final int LENGTH = 100;

  private static int[] text(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    return IntStream.range(0, LENGTH).map(i -> random.nextInt(SmallDecoder.VOCABULARY)).toArray();
  }

  /** Logits [length, vocabulary] of the inference graph, run by SameDiff. */
  private static INDArray whole(TransformerModel model, Parameters weights, int[] text) {
    int[] ones = new int[text.length];
    Arrays.fill(ones, 1);
    return model
        .build(weights, GraphOptions.inference())
        .sd()
        .outputSingle(
            Map.of(
                ModelGraph.INPUT_IDS, row(text),
                ModelGraph.ATTENTION_MASK, row(ones),
                ModelGraph.POSITION_IDS, row(IntStream.range(0, text.length).toArray())),
            ModelGraph.LOGITS)
        .slice(0);
  }

  private static INDArray row(int[] values) {
    return Nd4j.createFromArray(new int[][] {values});
  }

  private static double error(float[] actual, INDArray expected, int position) {
    double gap =
        Nd4j.createFromArray(actual).sub(expected.getRow(position)).amaxNumber().doubleValue();
    return gap / expected.amaxNumber().doubleValue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "gpt2    | ''",
        "gpt2    | \"tie_word_embeddings\": false, \"n_inner\": 7",
        "llama   | ''",
        "llama   | \"num_key_value_heads\": 2, \"tie_word_embeddings\": true, \"head_dim\": 6",
        "llama   | \"num_key_value_heads\": 1, \"attention_bias\": true, \"mlp_bias\": true",
        "llama   | \"rope_scaling\": {\"type\": \"linear\", \"factor\": 4}",
        "llama   | \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 1, \"high_freq_factor\": 4, \"original_max_position_embeddings\": 32}",
        "mistral | \"num_key_value_heads\": 2, \"sliding_window\": 5",
        "mistral | \"num_key_value_heads\": 4, \"sliding_window\": 70",
        "qwen2   | \"num_key_value_heads\": 2, \"tie_word_embeddings\": true",
        "qwen2   | \"use_sliding_window\": true, \"sliding_window\": 5, \"max_window_layers\": 1",
        "qwen3   | \"num_key_value_heads\": 2, \"head_dim\": 6",
        "qwen3   | \"use_sliding_window\": true, \"sliding_window\": 70, \"max_window_layers\": 0",
        "smollm3 | \"no_rope_layers\": [1, 0, 1]",
        "smollm3 | \"no_rope_layers\": [1, 0, 1], \"use_sliding_window\": true, \"sliding_window\": 5",
        "olmo2   | \"num_key_value_heads\": 2",
        "phi3    | \"num_key_value_heads\": 2, \"sliding_window\": 5",
        "phi3    | \"num_key_value_heads\": 2, \"partial_rotary_factor\": 0.5",
        "gemma2  | \"head_dim\": 6, \"sliding_window\": 5",
        "gemma2  | \"head_dim\": 6, \"sliding_window\": 70",
        "gemma3_text | \"head_dim\": 6, \"sliding_window\": 5, \"sliding_window_pattern\": 2",
        "granite | \"attention_multiplier\": 0.3, \"logits_scaling\": 4, \"residual_multiplier\": 0.4",
        "stablelm | \"num_key_value_heads\": 2, \"partial_rotary_factor\": 0.5, \"use_qkv_bias\": true",
        "stablelm | \"num_key_value_heads\": 4, \"partial_rotary_factor\": 1"
      })
  void cachedLogitsEqualTheFullForwardPass(String type, String changes) {
    TransformerModel model = SmallDecoder.model(type, changes);
    Parameters weights = SmallDecoder.weights(model, 3);
    int[] text = text(7);
    INDArray expected = whole(model, weights, text);
    for (KernelMode kernelMode : KernelMode.values()) {
      double single = 0;
      double atOnce = 0;
      try (CachedDecoder decoder = new CachedDecoder(model, weights, kernelMode)) {
        decoder.begin(LENGTH);
        for (int i = 0; i < LENGTH; i++) {
          single = Math.max(single, error(decoder.next(new int[] {text[i]}, i), expected, i));
        }
        for (int prompt : new int[] {1, 13, 64, 100}) {
          decoder.begin(LENGTH); // rows cached for the previous text must be invisible
          float[] logits = decoder.next(Arrays.copyOf(text, prompt), 0);
          atOnce = Math.max(atOnce, error(logits, expected, prompt - 1));
        }
      }
      System.out.printf(
          "%-7s %-90s %-6s token by token %.1e, prompt at once %.1e%n",
          type, changes, kernelMode, single, atOnce);
      assertTrue(single < 1e-5 && atOnce < 1e-5);
    }
  }

  @Test
  void newTextDoesNotSeeThePreviousOne() {
    TransformerModel model = SmallDecoder.model("llama", "");
    Parameters weights = SmallDecoder.weights(model, 3);
    int[] text = Arrays.copyOf(text(1), 20);
    float[] alone;
    try (CachedDecoder decoder = new CachedDecoder(model, weights, KernelMode.preferred())) {
      decoder.begin(text.length);
      alone = decoder.next(text, 0);
    }
    try (CachedDecoder decoder = new CachedDecoder(model, weights, KernelMode.preferred())) {
      decoder.begin(50);
      decoder.next(Arrays.copyOf(text(2), 50), 0);
      decoder.begin(text.length);
      assertArrayEquals(alone, decoder.next(text, 0));
      decoder.begin(LENGTH); // larger: allocates a new cache
      decoder.next(text(3), 0);
      decoder.begin(text.length);
      assertArrayEquals(alone, decoder.next(text, 0));
    }
  }
}
