package org.tokentune.formats;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadFileException;
import org.tokentune.Warnings;
import org.tokentune.ops.BlockWeight;

/**
 * The language model within Gemma 3's models for images and text, whose files say {@code gemma3}
 * (source: transformers' {@code Gemma3ForConditionalGeneration}). Images are not read.
 */
final class TextPart implements WeightSource {

  private static final String TYPE = "model_type";

  /** Fields of the whole model that are the text's own, too. */
  private static final List<String> SHARED =
      List.of(
          "bos_token_id",
          "eos_token_id",
          "pad_token_id",
          "dtype",
          "torch_dtype",
          "tie_word_embeddings",
          "quantization_config",
          "transformers_version");

  /** Defaults of transformers' {@code Gemma3TextConfig} on which published files rely. */
  private static final Map<String, Integer> DEFAULTS =
      Map.of(
          "vocab_size",
          262208,
          "num_attention_heads",
          8,
          "num_key_value_heads",
          4,
          "head_dim",
          256,
          "max_position_embeddings",
          131072);

  /** As transformers 4 and 5 name them. */
  private static final Pattern TEXT =
      Pattern.compile("(?:language_model\\.|model\\.language_model\\.|)(?:model\\.)?(.+)");

  private static final Pattern IMAGES =
      Pattern.compile("(model\\.)?(vision_tower|multi_modal_projector)\\..*");

  private final WeightSource file;
  private final Map<String, String> stored;

  private TextPart(WeightSource file, Map<String, String> stored) {
    this.file = file;
    this.stored = stored;
  }

  /** The configuration of the language model; any other one as it is. */
  static JsonNode config(JsonNode config, String origin) {
    if (!config.path(TYPE).asText().equals("gemma3")) {
      return config;
    }
    if (!config.path("text_config").isObject()) {
      throw new BadFileException(
          "%s: model_type gemma3 has no text_config; a model for text alone has gemma3_text.",
          origin);
    }
    ObjectNode text = config.get("text_config").deepCopy();
    text.put(TYPE, "gemma3_text").putArray("architectures").add("Gemma3ForCausalLM");
    for (String field : SHARED) {
      if (config.has(field) && !text.has(field)) {
        text.set(field, config.get(field));
      }
    }
    DEFAULTS.forEach(
        (field, value) -> {
          if (!text.has(field)) {
            text.put(field, value);
          }
        });
    return text;
  }

  /** The tensors of the language model; those of other models as they are. */
  static WeightSource over(WeightSource file) {
    if (file.names().stream().noneMatch(name -> IMAGES.matcher(name).matches())) {
      return file;
    }
    Map<String, String> stored = new LinkedHashMap<>();
    for (String name : file.names()) {
      Matcher text = TEXT.matcher(name);
      if (!IMAGES.matcher(name).matches() && text.matches()) {
        boolean head = text.group(1).startsWith("lm_head.");
        stored.put((head ? "" : "model.") + text.group(1), name);
      }
    }
    Warnings.note("%s: only its language model is read, which knows no images.", file.origin());
    return new TextPart(file, stored);
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(stored.keySet());
  }

  @Override
  public long[] shape(String name) {
    return file.shape(stored.getOrDefault(name, name));
  }

  @Override
  public INDArray read(String name) {
    return file.read(stored.getOrDefault(name, name));
  }

  @Override
  public BlockWeight readBlocks(String name) {
    return file.readBlocks(stored.getOrDefault(name, name));
  }

  @Override
  public String origin() {
    return file.origin();
  }

  @Override
  public void close() {
    file.close();
  }
}
