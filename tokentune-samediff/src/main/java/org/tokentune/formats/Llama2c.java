package org.tokentune.formats;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/**
 * A Llama model in llama2.c's {@code .bin} (its legacy format, version 0), presented in Hugging
 * Face's layout: its configuration, and its tensors under Hugging Face's names.
 *
 * <p>Format, little-endian: 32-bit integers dim, hidden_dim, n_layers, n_heads, n_kv_heads,
 * vocab_size (negative: the head is not tied) and seq_len; then 32-bit floats: the token
 * embeddings; each of the following for all layers at once: norm before attention, q, k, v, o, norm
 * before the feed-forward layers, gate, down, up; the final norm; tables of cosines and sines,
 * which are not needed; the head if it is not tied. RMS epsilon and rotary base are not stored:
 * 1e-5 and 10000.
 */
public final class Llama2c implements WeightSource {

  private static final int HEADER_BYTES = 7 * Integer.BYTES;

  /** Magic number of the later formats. */
  private static final int VERSIONED_MAGIC = 0x616b3432;

  /**
   * In llama2.c, every text begins with token 1, which therefore also marks the end of the text
   * before.
   */
  private static final int TEXT_BOUNDARY = 1;

  /** A tensor's location: {@code begin} is the offset in the file. */
  private record Entry(long[] shape, long begin) {

    long count() {
      long count = 1;
      for (long size : shape) {
        count *= size;
      }
      return count;
    }
  }

  private final Path file;
  private final FileChannel channel;
  private final ObjectNode config;
  private final RotaryRows rotary;
  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private long next = HEADER_BYTES;

  private Llama2c(Path file, FileChannel channel) throws IOException {
    this.file = file;
    this.channel = channel;
    MappedRange header = new MappedRange(channel, 0, HEADER_BYTES, HEADER_BYTES);
    if (channel.size() < HEADER_BYTES) {
      throw bad("is shorter than " + HEADER_BYTES + " bytes");
    }
    int[] sizes = new int[HEADER_BYTES / Integer.BYTES];
    header.forEachWindow(window -> window.asIntBuffer().get(sizes));
    if (sizes[0] == VERSIONED_MAGIC) {
      throw new BadFileException(
          "%s is of a later version of llama2.c's format, which is not supported; export version 0.",
          file);
    }
    config = config(sizes);
    rotary = new RotaryRows(sizes[0] / sizes[3]);
    place(sizes);
    if (next != channel.size()) {
      throw bad("has " + channel.size() + " bytes, but its sizes need " + next);
    }
  }

  /**
   * Opens a file and checks that its length matches its sizes.
   *
   * @throws BadInputException if it is missing, truncated or malformed
   */
  public static Llama2c open(Path file) {
    required(file, "file");

    return WeightFile.open(file, channel -> new Llama2c(file, channel));
  }

  private ObjectNode config(int[] sizes) {
    for (int size : sizes) {
      if (size == 0 || size == Integer.MIN_VALUE || (size < 0 && size != sizes[5])) {
        throw bad("has an impossible size in its header");
      }
    }
    if (sizes[2] > Limits.LAYERS) {
      throw bad("claims " + sizes[2] + " layers");
    }
    int heads = sizes[3];
    if (sizes[0] % heads != 0 || sizes[0] / heads % 2 != 0 || heads % sizes[4] != 0) {
      throw bad(
          String.format(
              Locale.ROOT,
              "claims %d heads and %d key heads for a hidden size of %d",
              heads,
              sizes[4],
              sizes[0]));
    }
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.putArray("architectures").add("LlamaForCausalLM");
    return config
        .put("model_type", "llama")
        .put("hidden_act", "silu")
        .put("vocab_size", Math.abs(sizes[5]))
        .put("hidden_size", sizes[0])
        .put("intermediate_size", sizes[1])
        .put("num_hidden_layers", sizes[2])
        .put("num_attention_heads", heads)
        .put("num_key_value_heads", sizes[4])
        .put("head_dim", sizes[0] / heads)
        .put("max_position_embeddings", sizes[6])
        .put("rms_norm_eps", 1e-5)
        .put("rope_theta", 10000.0)
        .put("tie_word_embeddings", sizes[5] > 0)
        .put("torch_dtype", "float32")
        .put("bos_token_id", TEXT_BOUNDARY)
        .put("eos_token_id", TEXT_BOUNDARY);
  }

  private void place(int[] sizes) {
    long dim = sizes[0];
    long inner = sizes[1];
    int layers = sizes[2];
    long keys = dim / sizes[3] * sizes[4];
    long words = Math.abs(sizes[5]);
    place("model.embed_tokens", words, dim);
    placeLayers(layers, "input_layernorm", dim);
    placeLayers(layers, "self_attn.q_proj", dim, dim);
    placeLayers(layers, "self_attn.k_proj", keys, dim);
    placeLayers(layers, "self_attn.v_proj", keys, dim);
    placeLayers(layers, "self_attn.o_proj", dim, dim);
    placeLayers(layers, "post_attention_layernorm", dim);
    placeLayers(layers, "mlp.gate_proj", inner, dim);
    placeLayers(layers, "mlp.down_proj", dim, inner);
    placeLayers(layers, "mlp.up_proj", inner, dim);
    place("model.norm", dim);
    next += (long) sizes[6] * (dim / sizes[3]) * Float.BYTES; // cosines and sines
    if (sizes[5] < 0) {
      place("lm_head", words, dim);
    }
  }

  private void placeLayers(int layers, String module, long... shape) {
    for (int i = 0; i < layers; i++) {
      place("model.layers." + i + "." + module, shape);
    }
  }

  /** Places a tensor directly after the one before. */
  private void place(String module, long... shape) {
    Entry entry = new Entry(shape, next);
    entries.put(module + ".weight", entry);
    try {
      long bytes = Float.BYTES;
      for (long size : shape) {
        bytes = Math.multiplyExact(bytes, size);
      }
      next = Math.addExact(next, bytes);
      if (next > channel.size()) {
        throw bad("ends before tensor " + module + " does");
      }
    } catch (IOException | ArithmeticException e) {
      throw bad("cannot hold tensor " + module);
    }
  }

  /** The configuration as a {@code config.json}. */
  public JsonNode config() {
    return config;
  }

  /**
   * The tokenizer's vocabulary.
   *
   * @param tokens the vocabulary's file, as llama2.c's {@code tokenizer.py} exports it
   * @throws BadInputException if it is damaged or does not fit this model
   */
  public Vocabulary vocabulary(Path tokens) {
    required(tokens, "tokens");

    int words = config.path("vocab_size").intValue();
    Vocabulary.SentencePiece read = Llama2cVocabulary.read(tokens);
    if (read.tokens().size() != words) {
      throw new BadFileException(
          "%s has %d tokens, but the model has %d words; use the model's own vocabulary, and"
              + " download it again if it was truncated.",
          tokens, read.tokens().size(), words);
    }
    return Vocabulary.checked(read, words, tokens.toString());
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(entries.keySet());
  }

  @Override
  public long[] shape(String name) {
    return entry(name).shape().clone();
  }

  @Override
  public INDArray read(String name) {
    Entry entry = entry(name);
    if (entry.count() > Integer.MAX_VALUE - 8) {
      throw new BadFileException(
          "%s: tensor %s has %d elements, more than the 2,147,483,639 supported.",
          file, name, entry.count());
    }
    float[] values = new float[(int) entry.count()];
    int[] filled = {0};
    long end = entry.begin() + entry.count() * Float.BYTES;
    try {
      new MappedRange(channel, entry.begin(), end, Float.BYTES)
          .forEachWindow(
              window -> {
                int count = window.remaining() / Float.BYTES;
                window.asFloatBuffer().get(values, filled[0], count);
                filled[0] += count;
              });
    } catch (IOException e) {
      throw new BadFileException(
          e, "%s: tensor %s cannot be read: %s.", file, name, WeightFile.reason(e));
    }
    boolean rotated = name.contains("self_attn.q_proj") || name.contains("self_attn.k_proj");
    return Nd4j.create(
        rotated ? rotary.unpermuted(values, (int) entry.shape()[1], name) : values,
        entry.shape(),
        'c');
  }

  private Entry entry(String name) {
    return WeightFile.tensor(entries, name, file);
  }

  @Override
  public String origin() {
    return file.toString();
  }

  @Override
  public void close() {
    WeightFile.close(channel);
  }

  private BadInputException bad(String what) {
    return new BadFileException(
        "%s %s: it is damaged or not a llama2.c file; download it again.", file, what);
  }
}
