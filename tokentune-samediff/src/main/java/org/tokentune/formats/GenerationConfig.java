package org.tokentune.formats;

import java.util.List;
import java.util.Set;
import org.tokentune.Warnings;

/**
 * The text generation settings in a model's {@code generation_config.json}.
 *
 * @param begins tokens that start a text
 * @param ends tokens that end a text
 * @param sampled whether tokens are sampled; null if the file does not say
 * @param temperature null if the file does not say, like all below
 * @param beams of beam search; null where the file also asks for sampling, which is another search
 * @param earlyStopping "true", "false" or "never"
 * @param stops texts that end a text; empty if the file does not say
 */
public record GenerationConfig(
    List<Integer> begins,
    List<Integer> ends,
    Boolean sampled,
    Double temperature,
    Integer topK,
    Double topP,
    Double minP,
    Double repetitionPenalty,
    Integer beams,
    Double lengthPenalty,
    String earlyStopping,
    List<String> stops) {

  /**
   * Fields that are not read. Source: transformers' {@code GenerationConfig}, versions 4.36 and
   * 5.24.
   */
  private static final KnownFields KNOWN =
      KnownFields.NONE
          .harmless("_commit_hash", "_from_model_config", "transformers_version")
          // The caller decides how long a text gets.
          .harmless("max_length", "max_new_tokens", "max_time")
          // How a program runs, and what it returns besides the text.
          .harmless("cache_config", "cache_implementation", "compile_config")
          .harmless("continuous_batching_config", "disable_compile", "generation_kwargs")
          .harmless("low_memory", "max_cache_len", "num_return_sequences", "output_attentions")
          .harmless("output_hidden_states", "output_logits", "output_scores", "pad_token_id")
          .harmless("prefill_chunk_size", "remove_invalid_values", "renormalize_logits")
          .harmless("return_dict_in_generate", "return_legacy_cache", "use_cache")
          // For speculative decoding, encoder-decoder models and beam search.
          .harmless("assistant_confidence_threshold", "assistant_early_exit")
          .harmless("assistant_ensemble_weight", "assistant_lookbehind", "decoder_start_token_id")
          .harmless("diversity_penalty", "encoder_no_repeat_ngram_size")
          .harmless("encoder_repetition_penalty", "is_assistant")
          .harmless("max_matching_ngram_size", "num_assistant_tokens")
          .harmless("num_assistant_tokens_schedule", "num_beam_groups", "prompt_lookup_num_tokens")
          .harmless("speculation_type", "target_lookbehind", "use_mtp")
          .mustBe("bad_words_ids")
          .mustBe("begin_suppress_tokens")
          .mustBe("constraints")
          .mustBe("dola_layers")
          .mustBe("epsilon_cutoff", 0)
          .mustBe("eta_cutoff", 0)
          .mustBe("exponential_decay_length_penalty")
          .mustBe("force_words_ids")
          .mustBe("forced_bos_token_id")
          .mustBe("forced_decoder_ids")
          .mustBe("forced_eos_token_id")
          .mustBe("guidance_scale", 1)
          .mustBe("min_length", 0)
          .mustBe("min_new_tokens", 0)
          .mustBe("no_repeat_ngram_size", 0)
          .mustBe("num_beams", 1)
          .mustBe("penalty_alpha", 0)
          .mustBe("sequence_bias")
          .mustBe("suppress_tokens", List.of())
          .mustBe("token_healing", false)
          .mustBe("top_h")
          .mustBe("typical_p", 1)
          .mustBe("watermarking_config");

  /**
   * Reads the file; without one, all settings are unset. Settings that this project does not
   * support are named in a warning.
   *
   * @throws org.tokentune.BadInputException if a field has the wrong type or is out of range
   */
  public static GenerationConfig read(CompanionFiles files) {
    ConfigReader fields = files.object(CompanionFiles.GENERATION_CONFIG);
    GenerationConfig config =
        new GenerationConfig(
            fields.indices("bos_token_id"),
            fields.indices("eos_token_id"),
            fields.has("do_sample") ? fields.flag("do_sample", false) : null,
            fields.has("temperature") ? fields.notNegative("temperature", 1) : null,
            fields.has("top_k") ? fields.index("top_k", 0) : null,
            fields.has("top_p") ? fields.positive("top_p", 1) : null,
            fields.has("min_p") ? fields.notNegative("min_p", 0) : null,
            fields.has("repetition_penalty") ? fields.positive("repetition_penalty", 1) : null,
            beams(fields),
            fields.has("length_penalty") ? fields.number("length_penalty") : null,
            earlyStopping(fields),
            stops(fields));
    List<String> unsupported = fields.unsupported(KNOWN);
    if (!unsupported.isEmpty()) {
      Warnings.warn(
          "%s asks for %s, which is not supported: text is generated without.",
          fields.origin(), String.join(", ", unsupported));
    }
    fields.finish(KNOWN.harmless(unsupported.toArray(String[]::new)));
    return config;
  }

  /** Beam search that also samples is left to {@link #KNOWN}, which does not support it. */
  private static Integer beams(ConfigReader fields) {
    boolean alone = !fields.flag("do_sample", false);
    return alone && fields.has("num_beams") ? fields.count("num_beams") : null;
  }

  private static String earlyStopping(ConfigReader fields) {
    if (!fields.has("early_stopping")) {
      return null;
    }
    String value = fields.value("early_stopping").asText();
    if (!Set.of("true", "false", "never").contains(value)) {
      throw fields.bad("early_stopping", "true, false or \"never\"");
    }
    return value;
  }

  /** One text, or a list. */
  private static List<String> stops(ConfigReader fields) {
    return fields.value("stop_strings").isTextual()
        ? List.of(fields.text("stop_strings", ""))
        : fields.texts("stop_strings");
  }

  public GenerationConfig {
    begins = List.copyOf(begins);
    ends = List.copyOf(ends);
    stops = List.copyOf(stops);
  }
}
