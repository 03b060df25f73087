package org.tokentune.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.ops.BlockWeight;

/**
 * A Llama or Qwen2 model (Mistral comes as Llama) in a GGUF file, as Hugging Face would have it:
 * its configuration, and its tensors in float under Hugging Face's names.
 */
public final class Gguf implements WeightSource {

  private static final String QUERY = "self_attn.q_proj";
  private static final String KEY = "self_attn.k_proj";

  /** Names outside of the layers. */
  private static final Map<String, String> OUTER =
      Map.of("token_embd", "model.embed_tokens", "output_norm", "model.norm", "output", "lm_head");

  /** Names in a layer. */
  private static final Map<String, String> INNER =
      Map.of(
          "attn_norm", "input_layernorm",
          "attn_q", QUERY,
          "attn_k", KEY,
          "attn_v", "self_attn.v_proj",
          "attn_output", "self_attn.o_proj",
          "ffn_norm", "post_attention_layernorm",
          "ffn_gate", "mlp.gate_proj",
          "ffn_up", "mlp.up_proj",
          "ffn_down", "mlp.down_proj");

  private static final Pattern LAYER = Pattern.compile("blk\\.(\\d+)\\.(\\w+)");

  private final GgufFile file;
  private final String origin;
  private final JsonNode config;
  private final RotaryRows rotary;
  private final Map<String, GgufFile.Tensor> tensors = new LinkedHashMap<>();

  private Gguf(GgufFile file, String origin) {
    this.file = file;
    this.origin = origin;
    for (GgufFile.Tensor tensor : file.tensors().values()) {
      if (tensors.put(name(tensor.name()), tensor) != null) {
        throw new BadInputException(
            "%s has tensor %s twice; get it again.", origin, name(tensor.name()));
      }
    }
    config = new GgufConfig(file.metadata(), this).read();
    // llama.cpp turns Qwen2's pairs as Hugging Face does.
    boolean permuted = config.path("model_type").asText().equals("llama");
    rotary = permuted ? new RotaryRows(config.path("head_dim").intValue()) : null;
  }

  /**
   * Opens a file and checks its header.
   *
   * @throws BadInputException if it is missing, damaged or of another kind of model
   */
  public static Gguf open(Path path) {
    GgufFile file = GgufFile.open(path);
    boolean complete = false;
    try {
      Gguf opened = new Gguf(file, path.toString());
      complete = true;
      return opened;
    } finally {
      if (!complete) {
        file.close();
      }
    }
  }

  /** A tensor's name as Hugging Face has it; others keep their own. */
  private static String name(String name) {
    int dot = name.lastIndexOf('.');
    String kind = name.substring(dot + 1);
    if (kind.equals("weight") || kind.equals("bias")) {
      String module = name.substring(0, dot);
      if (OUTER.containsKey(module)) {
        return OUTER.get(module) + "." + kind;
      }
      Matcher layer = LAYER.matcher(module);
      if (layer.matches() && INNER.containsKey(layer.group(2))) {
        return "model.layers." + layer.group(1) + "." + INNER.get(layer.group(2)) + "." + kind;
      }
    }
    return name;
  }

  /** As a {@code config.json}. */
  public JsonNode config() {
    return config;
  }

  /**
   * What the tokenizer is made of.
   *
   * @throws BadInputException if it is missing, of an unknown kind, or not this model's
   */
  public Vocabulary vocabulary() {
    int words = config.path("vocab_size").intValue();
    return Vocabulary.checked(new GgufVocabulary(file.metadata()).read(), words, origin);
  }

  /** What Hugging Face keeps in files beside these. */
  public CompanionFiles companions() {
    return new GgufVocabulary(file.metadata()).companions(config);
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(tensors.keySet());
  }

  @Override
  public long[] shape(String name) {
    return tensor(name).shape().clone();
  }

  @Override
  public INDArray read(String name) {
    return Nd4j.create(values(name), shape(name), 'c');
  }

  /** A tensor's values, in the order of its shape. */
  float[] values(String name) {
    GgufFile.Tensor tensor = tensor(name);
    float[] values = file.read(tensor);
    if (!permuted(name)) {
      return values;
    }
    int width = Math.toIntExact(tensor.count() / tensor.shape()[0]);
    return rotary.unpermuted(values, width, name);
  }

  @Override
  public BlockWeight readBlocks(String name) {
    GgufFile.Tensor tensor = tensor(name);
    if (tensor.shape().length != 2 || !BlockWeight.holds(tensor.format())) {
      return null;
    }
    int rows = Math.toIntExact(tensor.shape()[0]);
    int[] places = permuted(name) ? rotary.places(rows, name) : IntStream.range(0, rows).toArray();
    return file.readBlocks(tensor, places);
  }

  private boolean permuted(String name) {
    return rotary != null && (name.contains(QUERY) || name.contains(KEY));
  }

  private GgufFile.Tensor tensor(String name) {
    return CheckpointFile.tensor(tensors, name, origin);
  }

  @Override
  public String origin() {
    return origin;
  }

  @Override
  public void close() {
    file.close();
  }
}
