package org.tokentune.formats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;
import org.tokentune.quantization.BlockFormat;
import org.tokentune.quantization.HalfPrecision;

class GgufTest {

  private static final Path GOLDEN = Path.of("src/test/resources/golden/gguf");

  @TempDir private Path folder;

  private Path file(byte[] bytes) throws IOException {
    return Files.write(folder.resolve("x.gguf"), bytes);
  }

  private Gguf open(byte[] bytes) throws IOException {
    return Gguf.open(file(bytes));
  }

  private String refusal(byte[] bytes) {
    String message = assertThrows(BadInputException.class, () -> open(bytes).close()).getMessage();
    System.out.println(message.replace(folder.toString(), ""));
    assertTrue(message.contains("x.gguf") && message.length() < 400, message);
    return message;
  }

  /** Metadata of a one-layer Llama with two heads and one key and value head. */
  private static GgufBytes llama(String type) {
    return sizes(type, true).with(type + ".attention.layer_norm_rms_epsilon", 1e-5f);
  }

  private static GgufBytes sizes(String type, boolean grouped) {
    GgufBytes bytes =
        new GgufBytes()
            .with("general.architecture", type)
            .with(type + ".context_length", 8)
            .with(type + ".embedding_length", 8)
            .with(type + ".block_count", 1)
            .with(type + ".feed_forward_length", 32)
            .with(type + ".attention.head_count", 2);
    return grouped ? bytes.with(type + ".attention.head_count_kv", 1) : bytes;
  }

  private static GgufBytes withTable(GgufBytes bytes) {
    return bytes.tensor("token_embd.weight", BlockFormat.F32, new byte[5 * 8 * 4], 8, 5);
  }

  private static byte[] counting(int count) {
    byte[] halves = new byte[2 * count];
    for (int i = 0; i < count; i++) {
      short half = HalfPrecision.floatToHalf(i);
      halves[2 * i] = (byte) half;
      halves[2 * i + 1] = (byte) (half >> 8);
    }
    return halves;
  }

  /** A complete small model, with blocks in several formats. */
  private static byte[] small() {
    byte[] noise = new byte[1000];
    new Random(3).nextBytes(noise);
    return withTable(llama("llama"))
        .with("tokenizer.ggml.model", "llama")
        .withTexts("tokenizer.ggml.tokens", List.of("<unk>", "<s>", "a", "b", "ab"))
        .withFloats("tokenizer.ggml.scores", List.of(0f, 0f, -1f, -2f, -3f))
        .withInts("tokenizer.ggml.token_type", List.of(2, 3, 1, 1, 1))
        .with("tokenizer.ggml.bos_token_id", 1)
        .tensor("output_norm.weight", BlockFormat.F32, new byte[32], 8)
        .tensor("blk.0.attn_q.weight", BlockFormat.F16, counting(64), 8, 8)
        .tensor("blk.0.attn_k.weight", BlockFormat.BF16, new byte[64], 8, 4)
        .tensor("blk.0.ffn_down.weight", BlockFormat.Q4_1, Arrays.copyOf(noise, 160), 32, 8)
        .tensor("blk.0.ffn_norm.weight", BlockFormat.Q6_K, Arrays.copyOf(noise, 210), 256)
        .build();
  }

  @Test
  void dequantisedBlocksEqualGgml() {
    try (SafeTensors golden = SafeTensors.open(GOLDEN.resolve("blocks.safetensors"))) {
      double worst = 0;
      int formats = 0;
      for (BlockFormat format : BlockFormat.values()) {
        if (format == BlockFormat.F32) {
          continue;
        }
        formats++;
        INDArray raw = golden.read(format + ".raw").reshape(-1);
        float[] expected = golden.read(format + ".float").reshape(-1).toFloatVector();
        byte[] bytes = new byte[(int) raw.length()];
        for (int i = 0; i < bytes.length; i++) {
          bytes[i] = (byte) raw.getInt(i);
        }
        float[] actual = new float[bytes.length / format.bytes * format.elements];
        for (int block = 0; block < bytes.length / format.bytes; block++) {
          format.decode(bytes, block * format.bytes, actual, block * format.elements);
        }
        assertEquals(expected.length, actual.length);
        double largest = 0;
        double error = 0;
        for (int i = 0; i < actual.length; i++) {
          largest = Math.max(largest, Math.abs(expected[i]));
          error = Math.max(error, Math.abs(expected[i] - actual[i]));
        }
        worst = Math.max(worst, error / largest);
      }
      System.out.printf("%d block formats: largest relative error %.1e%n", formats, worst);
      assertTrue(worst <= 1e-6 && formats == 12);
    }
  }

  @Test
  void floatsRoundToNearestEvenHalf() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float half = HalfPrecision.halfToFloat((short) bits);
      float bfloat = HalfPrecision.bfloatToFloat((short) bits);
      if (!Float.isNaN(half)) {
        assertEquals((short) bits, HalfPrecision.floatToHalf(half));
      } else {
        assertTrue(Float.isNaN(HalfPrecision.halfToFloat(HalfPrecision.floatToHalf(half))));
      }
      if (!Float.isNaN(bfloat)) {
        assertEquals((short) bits, HalfPrecision.floatToBfloat(bfloat));
      } else {
        assertTrue(Float.isNaN(HalfPrecision.bfloatToFloat(HalfPrecision.floatToBfloat(bfloat))));
      }
    }
    // A tie rounds to the neighbour with an even last bit; anything above it rounds up.
    for (int bits = 0; bits < 0x7bff; bits++) {
      float low = HalfPrecision.halfToFloat((short) bits);
      float middle = (low + HalfPrecision.halfToFloat((short) (bits + 1))) / 2;
      assertEquals((short) (bits + (bits & 1)), HalfPrecision.floatToHalf(middle));
      assertEquals((short) (bits + 1), HalfPrecision.floatToHalf(Math.nextUp(middle)));
      assertEquals((short) (bits | 0x8000), HalfPrecision.floatToHalf(-Math.nextDown(middle)));
    }
    assertEquals((short) 0x7c00, HalfPrecision.floatToHalf(65520));
    assertEquals((short) 0x7bff, HalfPrecision.floatToHalf(Math.nextDown(65520f)));
    assertEquals((short) 0x3f80, HalfPrecision.floatToBfloat(1 + 0x1p-8f));
    assertEquals((short) 0x3f82, HalfPrecision.floatToBfloat(1 + 3 * 0x1p-8f));
    assertEquals((short) 0x7f80, HalfPrecision.floatToBfloat(Float.MAX_VALUE));
  }

  @Test
  void configurationAndNamesFollowHuggingFace() throws IOException {
    try (Gguf gguf = open(small())) {
      JsonNode config = gguf.config();
      assertEquals("LlamaForCausalLM", config.path("architectures").path(0).asText());
      assertEquals(5, config.path("vocab_size").intValue());
      assertEquals(4, config.path("head_dim").intValue());
      assertEquals(1e-5, config.path("rms_norm_eps").doubleValue());
      assertEquals(10000, config.path("rope_theta").doubleValue());
      assertEquals(1, config.path("bos_token_id").intValue());
      assertTrue(config.path("tie_word_embeddings").booleanValue());
      assertTrue(config.path("rope_scaling").isMissingNode());
      Vocabulary.SentencePiece vocabulary = (Vocabulary.SentencePiece) gguf.vocabulary();
      assertEquals(List.of("<unk>", "<s>", "a", "b", "ab"), vocabulary.tokens());
      assertEquals(-3, vocabulary.scores().get(4));
      assertEquals(Vocabulary.TokenType.CONTROL, vocabulary.types().get(1));
      assertTrue(gguf.names().contains("model.layers.0.mlp.down_proj.weight"));
      assertArrayEquals(new long[] {8, 32}, gguf.shape("model.layers.0.mlp.down_proj.weight"));
      // Row 2 i + t of the file is row t headSize / 2 + i.
      INDArray queries = gguf.read("model.layers.0.self_attn.q_proj.weight");
      assertArrayEquals(
          new float[] {0, 16, 8, 24, 32, 48, 40, 56}, queries.getColumn(0).toFloatVector());
    }
  }

  @Test
  void qwen2IsNotPermutedAndKeepsItsHead() throws IOException {
    byte[] qwen =
        withTable(llama("qwen2"))
            .with("qwen2.rope.scaling.type", "linear")
            .with("qwen2.rope.scaling.factor", 2f)
            .with("qwen2.rope.freq_base", 1e6f)
            .with("tokenizer.ggml.eos_token_id", 3)
            .with("tokenizer.ggml.eot_token_id", 4)
            .tensor("blk.0.attn_q.bias", BlockFormat.F16, counting(8), 8)
            .tensor("output.weight", BlockFormat.F16, counting(40), 8, 5)
            .build();
    try (Gguf gguf = open(qwen)) {
      assertEquals("qwen2", gguf.config().path("model_type").asText());
      assertEquals(
          "{\"rope_type\":\"linear\",\"factor\":2.0}",
          gguf.config().path("rope_scaling").toString());
      assertEquals(1e6, gguf.config().path("rope_theta").doubleValue());
      assertEquals("[3,4]", gguf.config().path("eos_token_id").toString());
      assertEquals(false, gguf.config().path("tie_word_embeddings").booleanValue());
      assertArrayEquals(
          new float[] {0, 1, 2, 3, 4, 5, 6, 7},
          gguf.read("model.layers.0.self_attn.q_proj.bias").toFloatVector());
    }
  }

  /** The converter's files have no keys of heads' sizes, groups and rotary positions. */
  @Test
  void gpt2sMatricesAreTurnedAndNamed() throws IOException {
    GgufBytes bytes =
        withTable(sizes("gpt2", false))
            .with("gpt2.attention.layer_norm_epsilon", 1e-5f)
            .tensor("position_embd.weight", BlockFormat.F16, counting(64), 8, 8)
            .tensor("blk.0.attn_norm.weight", BlockFormat.F16, counting(8), 8)
            .tensor("blk.0.attn_qkv.weight", BlockFormat.F16, counting(192), 8, 24)
            .tensor("blk.0.attn_qkv.bias", BlockFormat.F16, counting(24), 24);
    try (Gguf gguf = open(bytes.build())) {
      assertEquals(
          "{\"architectures\":[\"GPT2LMHeadModel\"],\"model_type\":\"gpt2\",\"vocab_size\":5,"
              + "\"tie_word_embeddings\":true,\"torch_dtype\":\"float32\","
              + "\"activation_function\":\"gelu_new\",\"n_embd\":8,\"n_inner\":32,\"n_layer\":1,"
              + "\"n_head\":2,\"n_positions\":8,\"layer_norm_epsilon\":1.0E-5}",
          gguf.config().toString());
      assertTrue(
          gguf.names().containsAll(List.of("transformer.wte.weight", "transformer.wpe.weight")));
      String packed = "transformer.h.0.attn.c_attn.weight";
      assertArrayEquals(new long[] {8, 24}, gguf.shape(packed));
      float[] values = gguf.read(packed).dup('c').data().asFloat();
      assertArrayEquals(new float[] {0, 8, 16, 24}, Arrays.copyOf(values, 4));
      assertNull(gguf.readBlocks(packed), "blocks are of rows, which are columns here");
      assertArrayEquals(new long[] {24}, gguf.shape("transformer.h.0.attn.c_attn.bias"));
    }
    assertTrue(
        refusal(bytes.with("gpt2.attention.head_count_kv", 1).build())
            .contains("gpt2.attention.head_count_kv is 1, which is not supported; supported: 2"));
  }

  /** As llama.cpp does: its converter writes use_parallel_residual for models without the field. */
  @Test
  void stableLmsResidualsFollowFromItsTensors() throws IOException {
    GgufBytes bytes =
        withTable(sizes("stablelm", true))
            .with("stablelm.attention.layer_norm_epsilon", 1e-5f)
            .with("stablelm.use_parallel_residual", true)
            .with("stablelm.rope.dimension_count", 2)
            .tensor("blk.0.attn_q.bias", BlockFormat.F16, counting(8), 8);
    try (Gguf gguf = open(bytes.build())) {
      assertTrue(gguf.config().path("use_parallel_residual").booleanValue());
      assertTrue(gguf.config().path("use_qkv_bias").booleanValue());
      assertFalse(gguf.config().path("qk_layernorm").booleanValue());
      assertEquals(0.5, gguf.config().path("partial_rotary_factor").doubleValue());
    }
    bytes.tensor("blk.0.ffn_norm.weight", BlockFormat.F16, counting(8), 8);
    try (Gguf gguf = open(bytes.build())) {
      assertFalse(gguf.config().path("use_parallel_residual").booleanValue());
    }
  }

  /** 30 of 44: the product of the nearest number and 44 is just below 30. */
  @Test
  void aShareOfAHeadIsNotCutShort() throws IOException {
    byte[] bytes =
        withTable(
                llama("phi3")
                    .with("phi3.attention.key_length", 44)
                    .with("phi3.attention.value_length", 44)
                    .with("phi3.rope.dimension_count", 30))
            .build();
    try (Gguf gguf = open(bytes)) {
      assertEquals(30, (int) (44 * gguf.config().path("partial_rotary_factor").doubleValue()));
    }
  }

  /** As llama.cpp's converter writes it for Llama 3.2: factor 32, theta 500,000, head size 64. */
  @Test
  void llama3ScalingIsReadFromItsFactors() throws IOException {
    byte[] factors = new byte[32 * 4];
    for (int i = 0; i < 32; i++) {
      double wave = 2 * Math.PI * Math.pow(500000, i / 32.0);
      double smooth = (8192 / wave - 1) / (4 - 1);
      double factor = wave < 8192 / 4.0 ? 1 : wave > 8192 ? 32 : 1 / ((1 - smooth) / 32 + smooth);
      int bits = Float.floatToIntBits((float) factor);
      for (int j = 0; j < 4; j++) {
        factors[4 * i + j] = (byte) (bits >> (8 * j));
      }
    }
    GgufBytes sizes =
        llama("llama")
            .with("llama.attention.key_length", 64)
            .with("llama.attention.value_length", 64)
            .with("llama.rope.freq_base", 500000f)
            .tensor("rope_freqs.weight", BlockFormat.F32, factors, 32);
    try (Gguf gguf = open(withTable(sizes).build())) {
      JsonNode scaling = gguf.config().path("rope_scaling");
      assertEquals("llama3", scaling.path("rope_type").asText());
      assertEquals(32, scaling.path("factor").doubleValue());
    }
    factors[4 * 20 + 2] ^= 0x40;
    GgufBytes others =
        llama("llama")
            .with("llama.attention.key_length", 64)
            .with("llama.attention.value_length", 64)
            .with("llama.rope.freq_base", 500000f)
            .tensor("rope_freqs.weight", BlockFormat.F32, factors, 32);
    assertTrue(refusal(withTable(others).build()).contains("factors other than Llama 3's"));
  }

  /** The file is sparse: it takes no space on file systems that support this. */
  @Test
  void readsBeyondTwoGigabytes() throws IOException {
    long elements = 600_000_000;
    long bytes = elements * 4;
    byte[] header =
        withTable(llama("llama"))
            .entry("large", BlockFormat.F32.id, 160, elements)
            .entry("far", BlockFormat.F16.id, 160 + bytes, 32)
            .build();
    Path file = folder.resolve("large.gguf");
    long data = header.length - 160L; // the table is 160 bytes
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.setLength(data + 160 + bytes + 64);
      out.write(header);
      out.seek(data + 160 + bytes);
      out.write(counting(32));
    }
    try (Gguf gguf = Gguf.open(file)) {
      assertEquals(31, gguf.read("far").getInt(31));
    }
    try (FileChannel channel = FileChannel.open(file)) {
      long[] seen = new long[1];
      new MappedRange(channel, 32, 32 + 210 * 10_000_001L, 210)
          .forEachWindow(
              window -> {
                assertEquals(0, window.limit() % 210);
                seen[0] += window.limit();
              });
      assertEquals(210 * 10_000_001L, seen[0]);
    }
  }

  @Test
  void rejectsFalseClaims() {
    String metadata = "general.architecture";
    assertTrue(
        refusal(llama("llama").entry("a", 0, 0, 2_500_000_000L).build()).contains("ends before"));
    assertTrue(
        refusal(llama("llama").entry("a", 0, 0, 1L << 62, 8).build()).contains("impossible"));
    assertTrue(refusal(llama("llama").entry("a", 0, 0, -4).build()).contains("impossible"));
    assertTrue(refusal(llama("llama").entry("a", 0, 0, 4, 0).build()).contains("impossible"));
    assertTrue(refusal(llama("llama").entry("a", 0, 3, 4).build()).contains("multiple of 32"));
    assertTrue(refusal(llama("llama").entry("a", 0, -32, 4).build()).contains("multiple of 32"));
    assertTrue(refusal(llama("llama").entry("a", 0, 1L << 62, 4).build()).contains("instead of 0"));
    assertTrue(refusal(llama("llama").entry("a", 0, 32, 4).build()).contains("instead of 0"));
    assertTrue(refusal(llama("llama").entry("a", 2, 0, 33).build()).contains("blocks of Q4_0"));
    assertTrue(refusal(llama("llama").entry("a", 0, 0).build()).contains("0 dimensions"));
    assertTrue(
        refusal(withTable(llama("llama")).entry("b", 0, 0, 4).build()).contains("instead of 160"));
    assertTrue(
        refusal(withTable(withTable(llama("llama"))).build()).contains("token_embd.weight twice"));
    assertTrue(
        refusal(
                withTable(llama("llama"))
                    .tensor("model.embed_tokens.weight", BlockFormat.F32, new byte[4], 1)
                    .build())
            .contains("twice"));
    assertTrue(refusal(llama("llama").array("x", 8, 1L << 40).build()).contains("1099511627776"));
    assertTrue(refusal(llama("llama").array("x", 9, 1).build()).contains("array of arrays"));
    assertTrue(refusal(llama("llama").array("x", 0, -1).build()).contains("elements of x"));
    assertTrue(refusal(llama("llama").array("x", 77, 1).build()).contains("unknown type 77"));
    assertTrue(refusal(llama("llama").build(3, 1L << 60, 8)).contains("tensors in"));
    assertTrue(refusal(llama("llama").build(3, 0, -1)).contains("metadata in"));
    assertTrue(refusal(llama("llama").build(1, 0, 8)).contains("version 1"));
    assertTrue(refusal(llama("llama").with(metadata, "x").build()).contains("twice"));
    assertTrue(
        refusal(llama("llama").with("general.alignment", 48).build()).contains("not a power of 2"));
    assertTrue(refusal(new GgufBytes().build()).contains("missing"));
    assertTrue(refusal(new GgufBytes().with(metadata, "mamba").build()).contains("mamba"));
    assertTrue(refusal(new GgufBytes().with(metadata, 7).build()).contains("must be a text"));
    assertTrue(refusal(llama("llama").build()).contains("token_embd"));
    assertTrue(
        refusal(withTable(sizes("llama", true)).build())
            .contains("layer_norm_rms_epsilon must be a number, but is missing"));
    assertTrue(
        refusal(llama("llama").with("llama.expert_count", 8).build()).contains("mixture of"));
    assertTrue(
        refusal(withTable(llama("llama").with("llama.rope.scaling.type", "yarn")).build())
            .contains("yarn"));
    assertTrue(refusal(new byte[0]).contains("ends before"));
  }

  @Test
  void rejectsUnsupportedSettingsByName() {
    for (String key :
        List.of("logit_scale", "attn_logit_softcapping", "rope.scaling.attn_factor")) {
      String message = refusal(withTable(llama("llama").with("llama." + key, 0.5f)).build());
      assertTrue(message.contains("llama." + key + " is 0.5"), message);
    }
    assertTrue(
        refusal(withTable(llama("llama").with("llama.attention.causal", false)).build())
            .contains("llama.attention.causal"));
    assertTrue(refusal(llama("llama").with("general.type", "adapter").build()).contains("adapter"));
    assertTrue(
        refusal(llama("llama").with("split.count", 2).with("split.no", 0).build())
            .contains("one of the 2 parts"));
  }

  @Test
  void rejectsWhatAFamilyDoesNotHave() {
    assertTrue(
        refusal(withTable(llama("olmo2").with("olmo2.attention.sliding_window", 8)).build())
            .contains("olmo2.attention.sliding_window is 8"));
    assertTrue(
        refusal(withTable(llama("granite").with("granite.rope.scaling.finetuned", false)).build())
            .contains("granite.rope.scaling.finetuned is false"));
    assertTrue(
        refusal(withTable(llama("granite")).build())
            .contains("granite.logit_scale must be a number, but is missing"));
    assertTrue(
        refusal(withTable(llama("qwen3").with("qwen3.final_logit_softcapping", 30f)).build())
            .contains("qwen3.final_logit_softcapping is 30.0"));
    assertTrue(
        refusal(
                withTable(
                        llama("qwen3")
                            .with("qwen3.rope.scaling.type", "yarn")
                            .with("qwen3.rope.scaling.factor", 4f)
                            .with("qwen3.rope.scaling.yarn_ext_factor", 0.5f))
                    .build())
            .contains("qwen3.rope.scaling.yarn_ext_factor is 0.5"));
    assertTrue(
        refusal(new GgufBytes().with("general.architecture", "gemma4").build())
            .contains("gemma4, which is not supported; name one of type llama, qwen2, qwen3,"));
  }

  /** Windows in all but every n-th layer, or in those listed; gains are stored with 1 added. */
  @Test
  void gemmasLayersAndGainsAreRead() throws IOException {
    GgufBytes gemma =
        llama("gemma3")
            .with("gemma3.attention.sliding_window", 4)
            .with("gemma3.rope.freq_base", 1e6f)
            .tensor("output_norm.weight", BlockFormat.F16, counting(8), 8);
    try (Gguf gguf = open(withTable(gemma).build())) {
      JsonNode config = gguf.config();
      assertEquals("gemma3_text", config.path("model_type").asText());
      assertEquals("[\"sliding_attention\"]", config.path("layer_types").toString());
      assertEquals(4, config.path("query_pre_attn_scalar").intValue());
      assertEquals(10000, config.path("rope_local_base_freq").doubleValue());
      assertArrayEquals(
          new float[] {-1, 0, 1, 2, 3, 4, 5, 6}, gguf.read("model.norm.weight").toFloatVector());
    }
    GgufBytes listed =
        llama("gemma2")
            .with("gemma2.attention.sliding_window_pattern", 1)
            .tensor("blk.0.ffn_norm.weight", BlockFormat.F16, counting(8), 8);
    try (Gguf gguf = open(withTable(listed).build())) {
      JsonNode config = gguf.config();
      assertEquals("[\"full_attention\"]", config.path("layer_types").toString());
      assertEquals(4096, config.path("sliding_window").intValue(), "llama.cpp's default");
      assertEquals(50, config.path("attn_logit_softcapping").doubleValue());
      assertTrue(gguf.names().contains("model.layers.0.pre_feedforward_layernorm.weight"));
    }
    String message =
        refusal(
            withTable(
                    llama("gemma3")
                        .with("gemma3.attention.sliding_window", 4)
                        .array("gemma3.attention.sliding_window_pattern", 7, 0))
                .build());
    assertTrue(message.contains("has 0 entries for 1 layers"), message);
  }

  /** llama.cpp: a factor without a type is linear; with type none it is ignored. */
  @Test
  void rotaryFactorsAreReadAsInLlamaCpp() throws IOException {
    String linear = "{\"rope_type\":\"linear\",\"factor\":4.0}";
    assertEquals(linear, scaling(llama("llama").with("llama.rope.scaling.factor", 4f)));
    assertEquals(linear, scaling(llama("llama").with("llama.rope.scale_linear", 4f)));
    assertEquals(
        linear,
        scaling(
            llama("llama")
                .with("llama.rope.scaling.type", "linear")
                .with("llama.rope.scaling.factor", 4f)
                .with("llama.rope.scale_linear", 8f)));
    assertEquals(
        "",
        scaling(
            llama("llama")
                .with("llama.rope.scaling.type", "none")
                .with("llama.rope.scaling.factor", 4f)));
    assertEquals("", scaling(llama("llama").with("llama.rope.scaling.factor", 1f)));
    assertEquals("", scaling(llama("llama").with("llama.rope.scaling.type", "linear")));
  }

  private String scaling(GgufBytes bytes) throws IOException {
    try (Gguf gguf = open(withTable(bytes).build())) {
      return gguf.config().path("rope_scaling").toString();
    }
  }

  /** Otherwise it would be mistaken for something outside the model. */
  @Test
  void unknownTensorOfALayerGetsTheLayersName() throws IOException {
    byte[] bytes =
        withTable(llama("llama"))
            .tensor("blk.0.attn_q.scale", BlockFormat.F32, new byte[4], 1)
            .tensor("blk.0.attn_q.weight.lora_a", BlockFormat.F32, new byte[4], 1)
            .build();
    try (Gguf gguf = open(bytes)) {
      assertTrue(gguf.names().contains("model.layers.0.attn_q.scale"));
      assertTrue(gguf.names().contains("model.layers.0.attn_q.weight.lora_a"));
    }
  }

  @Test
  void missingBiasesOfABiasedModuleAreZero() throws IOException {
    byte[] biased =
        withTable(llama("llama"))
            .tensor("blk.0.attn_q.weight", BlockFormat.F16, counting(64), 8, 8)
            .tensor("blk.0.attn_q.bias", BlockFormat.F16, counting(8), 8)
            .tensor("blk.0.attn_output.weight", BlockFormat.F16, counting(64), 8, 8)
            .tensor("blk.0.ffn_up.weight", BlockFormat.F16, counting(64), 8, 8)
            .build();
    try (Gguf gguf = open(biased)) {
      assertTrue(gguf.config().path("attention_bias").booleanValue());
      assertFalse(gguf.config().path("mlp_bias").booleanValue());
      assertArrayEquals(
          new float[8], gguf.read("model.layers.0.self_attn.o_proj.bias").toFloatVector());
      assertArrayEquals(
          new float[] {0, 2, 1, 3, 4, 6, 5, 7},
          gguf.read("model.layers.0.self_attn.q_proj.bias").toFloatVector());
      assertFalse(gguf.names().contains("model.layers.0.mlp.up_proj.bias"));
    }
  }

  @Test
  void unsupportedTypeFailsOnlyWhenRead() throws IOException {
    byte[] bytes =
        withTable(llama("llama"))
            .entry("blk.0.ffn_up.weight", 23, 160, 256, 2)
            .entry("output_norm.weight", 0, 160 + 288, 8)
            .build(new byte[288 + 32]);
    try (Gguf gguf = open(bytes)) {
      assertEquals(8, gguf.read("model.norm.weight").length());
      String message =
          assertThrows(
                  BadInputException.class, () -> gguf.read("model.layers.0.mlp.up_proj.weight"))
              .getMessage();
      System.out.println(message);
      assertTrue(message.contains("type 23, which is not supported"), message);
    }
  }

  @Test
  void readsAllPartsOfAModel() throws IOException {
    byte[] first = withTable(llama("llama")).with("split.count", 2).with("split.no", 0).build();
    byte[] second =
        new GgufBytes()
            .with("split.count", 2)
            .with("split.no", 1)
            .tensor("output_norm.weight", BlockFormat.F16, counting(8), 8)
            .build();
    Files.write(folder.resolve("m-00001-of-00002.gguf"), first);
    Path part = Files.write(folder.resolve("m-00002-of-00002.gguf"), second);
    for (Path named : List.of(part, folder.resolve("m-00001-of-00002.gguf"))) {
      try (Gguf gguf = Gguf.open(named)) {
        assertEquals(7, gguf.read("model.norm.weight").getFloat(7));
        assertEquals(5, gguf.shape("model.embed_tokens.weight")[0]);
      }
    }
    assertEquals(
        folder.resolve("m-00001-of-00002.gguf"),
        Gguf.firstPart(List.of(part, folder.resolve("m-00001-of-00002.gguf"))));
    Files.delete(folder.resolve("m-00001-of-00002.gguf"));
    String message = assertThrows(BadInputException.class, () -> Gguf.open(part)).getMessage();
    System.out.println(message.replace(folder.toString(), ""));
    assertTrue(message.contains("one of the 2 parts"), message);
  }

  @Test
  void damagedFilesAreReadOrRejected() throws IOException {
    byte[] whole = small();
    int read = 0;
    for (int length = 0; length < whole.length; length++) {
      read += reads(Arrays.copyOf(whole, length)) ? 1 : 0;
    }
    assertEquals(0, read);
    Random random = new Random(1);
    int refused = 0;
    int tries = 6000;
    int header = whole.length - 900; // most flips in the header
    for (int i = 0; i < tries; i++) {
      byte[] damaged = whole.clone();
      for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
        damaged[random.nextInt(i % 4 == 0 ? whole.length : header)] ^=
            (byte) (1 << random.nextInt(8));
      }
      refused += reads(damaged) ? 0 : 1;
    }
    System.out.printf(
        "GGUF: %d truncations refused; of %d files with flipped bits, %d refused and the rest"
            + " read%n",
        whole.length, tries, refused);
    assertTrue(refused > tries / 4);
  }

  /** Whether the whole file can be read; any exception other than a rejection is thrown. */
  private boolean reads(byte[] bytes) throws IOException {
    try (Gguf gguf = open(bytes)) {
      gguf.names().forEach(gguf::read);
      gguf.vocabulary();
      return true;
    } catch (BadInputException e) {
      return false;
    }
  }

  private static GgufBytes bytePair() {
    return withTable(llama("llama"))
        .with("tokenizer.ggml.model", "gpt2")
        .withTexts("tokenizer.ggml.tokens", List.of("a", "b", "ab", "<s>", "</s>"))
        .withInts("tokenizer.ggml.token_type", List.of(1, 1, 1, 3, 3))
        .withTexts("tokenizer.ggml.merges", List.of("a b"))
        .with("tokenizer.ggml.bos_token_id", 3);
  }

  private Vocabulary.BytePair bytePair(String pre) throws IOException {
    GgufBytes bytes = pre == null ? bytePair() : bytePair().with("tokenizer.ggml.pre", pre);
    try (Gguf gguf = open(bytes.build())) {
      return (Vocabulary.BytePair) gguf.vocabulary();
    }
  }

  /** llama.cpp's rules, and its defaults if the file does not say. */
  @Test
  void splittingRulesMatchLlamaCpp() throws IOException {
    assertEquals(Vocabulary.PreTokenizer.DEFAULT, bytePair((String) null).preTokenizer());
    assertEquals(Vocabulary.PreTokenizer.DEFAULT, bytePair("default").preTokenizer());
    assertEquals(Vocabulary.PreTokenizer.SMOLLM, bytePair("command-r").preTokenizer());
    assertEquals(Vocabulary.PreTokenizer.QWEN2, bytePair("stablelm2").preTokenizer());
    assertEquals(false, bytePair("gpt-2").special().addBegin());
    assertEquals(true, bytePair("llama-bpe").special().addBegin());
    assertEquals(false, bytePair("dbrx").special().addBegin());
    String message = assertThrows(BadInputException.class, () -> bytePair("tekken")).getMessage();
    assertTrue(message.contains("rule tekken"), message);
    try (Gguf gguf = open(small())) {
      Vocabulary.SpecialTokens special = gguf.vocabulary().special();
      assertEquals(0, special.unknown(), "llama.cpp's default");
      assertEquals(null, special.end(), "2 is not a control token");
    }
  }

  @Test
  void chatTemplatesAndEndTokensBecomeFiles() throws IOException {
    byte[] bytes =
        bytePair()
            .with("tokenizer.ggml.eos_token_id", 4)
            .with("tokenizer.ggml.padding_token_id", 2)
            .with("tokenizer.chat_template", "{{ messages }}")
            .with("tokenizer.chat_template.tool_use", "{{ tools }}")
            .build();
    try (Gguf gguf = open(bytes)) {
      CompanionFiles files = gguf.companions();
      assertEquals(
          Set.of(
              "chat_template.jinja",
              "additional_chat_templates/tool_use.jinja",
              "generation_config.json"),
          files.names());
      byte[] tools = files.bytes("additional_chat_templates/tool_use.jinja").orElseThrow();
      assertEquals("{{ tools }}", new String(tools, StandardCharsets.UTF_8));
      GenerationConfig generation = GenerationConfig.read(files);
      assertEquals(List.of(4), generation.ends());
      assertEquals(List.of(3), generation.begins());
    }
  }
}
