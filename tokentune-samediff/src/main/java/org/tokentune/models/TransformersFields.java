package org.tokentune.models;

import java.util.List;
import java.util.Map;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.nn.ActivationFunction;

/**
 * Fields of a {@code config.json} that the configurations here do not read.
 *
 * <p>Source: transformers' {@code PreTrainedConfig} and {@code GenerationConfig}, versions 4.36 and
 * 5.24, and files on the hub.
 */
final class TransformersFields {

  /**
   * Fields for heads, tokenizers and generation, which are read elsewhere, and for transformers'
   * own loaders.
   */
  private static final String[] READ_ELSEWHERE = {
    "architectures",
    "bos_token_id",
    "eos_token_id",
    "id2label",
    "label2id",
    "model_type",
    "num_labels",
    "problem_type",
    "tokentune"
  };

  /** Fields that only affect how a program runs, or what it prints. */
  private static final String[] RUNNING = {
    "_attn_implementation",
    "_attn_implementation_autoset",
    "_commit_hash",
    "_flash_attn_2_enabled",
    "_name_or_path",
    "_num_labels",
    "attn_implementation",
    "chunk_size_feed_forward",
    "cls_token_id",
    "dtype",
    "finetuning_task",
    "gradient_checkpointing",
    "initializer_range",
    "language",
    "mask_token_id",
    "output_attentions",
    "output_hidden_states",
    "output_past",
    "pad_token_id",
    "prefix",
    "return_dict",
    "sep_token_id",
    "task_specific_params",
    "tf_legacy_loss",
    "tokenizer_class",
    "torch_dtype",
    "torchscript",
    "transformers.js_config",
    "transformers_version",
    "unk_token_id",
    "unsloth_fixed",
    "unsloth_version",
    "use_bfloat16",
    "use_cache"
  };

  /** Settings of generation, which transformers 5 does not read from here, either. */
  private static final String[] GENERATION = {
    "assistant_confidence_threshold",
    "assistant_lookbehind",
    "bad_words_ids",
    "begin_suppress_tokens",
    "decoder_start_token_id",
    "diversity_penalty",
    "do_sample",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "encoder_repetition_penalty",
    "epsilon_cutoff",
    "eta_cutoff",
    "exponential_decay_length_penalty",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "length_penalty",
    "max_length",
    "min_length",
    "no_repeat_ngram_size",
    "num_assistant_tokens",
    "num_assistant_tokens_schedule",
    "num_beam_groups",
    "num_beams",
    "num_return_sequences",
    "output_scores",
    "remove_invalid_values",
    "repetition_penalty",
    "return_dict_in_generate",
    "suppress_tokens",
    "target_lookbehind",
    "temperature",
    "top_k",
    "top_p",
    "typical_p"
  };

  /** The known fields of all families. */
  static final KnownFields COMMON =
      KnownFields.NONE
          .harmless(READ_ELSEWHERE)
          .harmless(RUNNING)
          .harmless(GENERATION)
          .mustBe("add_cross_attention", false)
          .mustBe("cross_attention_hidden_size")
          .mustBe("is_encoder_decoder", false)
          .mustBe("pruned_heads", Map.of())
          .mustBe("tie_encoder_decoder", false)
          .and(elsewhere());

  /**
   * Fields that change numbers in models of some families: those that do not read them must not
   * have them, or have the value with which they change nothing.
   */
  private static KnownFields elsewhere() {
    KnownFields known = KnownFields.NONE;
    for (String field :
        List.of(
            "attention_multiplier",
            "attn_logit_softcapping",
            "clip_qkv",
            "final_logit_softcapping",
            "kv_lora_rank",
            "no_rope_layers",
            "q_lora_rank",
            "query_pre_attn_scalar")) {
      known = known.mustBe(field);
    }
    for (String field :
        List.of(
            "moe_intermediate_size",
            "n_routed_experts",
            "num_experts",
            "num_experts_per_tok",
            "num_local_experts")) {
      known = known.mustBe(field, 0);
    }
    for (String field :
        List.of(
            "embedding_multiplier",
            "logit_scale",
            "logits_scaling",
            "partial_rotary_factor",
            "residual_multiplier",
            "rotary_pct")) {
      known = known.mustBe(field, 1);
    }
    for (String field :
        List.of("alibi", "parallel_attn", "qk_layernorm", "use_parallel_residual", "use_qk_norm")) {
      known = known.mustBe(field, false);
    }
    return known;
  }

  private TransformersFields() {}

  /**
   * The name of an activation.
   *
   * @throws BadInputException for one that is not supported
   */
  static String activation(ConfigReader config, String field, String otherwise) {
    String name = config.text(field, otherwise);
    if (!ActivationFunction.isKnown(name)) {
      throw config.bad(field, "gelu, gelu_new, relu, silu or tanh");
    }
    return name;
  }

  /**
   * Rejects quantised weights, except those of bitsandbytes in 4 bits, which checkpoints return as
   * floats.
   */
  static void checkQuantization(ConfigReader config) {
    String mlx = "quantization"; // as MLX writes it
    if (!config.object(mlx).names().isEmpty()) {
      throw quantised(config, mlx, " by MLX", "convert it with mlx_lm.convert --dequantize");
    }
    String field = "quantization_config";
    ConfigReader quantization = config.object(field);
    if (quantization.names().isEmpty()) {
      return;
    }
    boolean fourBits = quantization.flag("load_in_4bit", false);
    boolean eightBits = quantization.flag("load_in_8bit", false);
    String method = quantization.text("quant_method", fourBits || eightBits ? "bitsandbytes" : "");
    if (!method.equals("bitsandbytes") || !fourBits) {
      throw quantised(
          config,
          field,
          (method.isEmpty() ? "" : " by " + method) + (eightBits ? " in 8 bits" : ""),
          "call dequantize() and save_pretrained() in transformers");
    }
  }

  private static BadInputException quantised(
      ConfigReader config, String field, String how, String remedy) {
    return new BadFileException(
        "%s: %s says that the weights are quantised%s, which is not supported; use the original model in 16 or 32 bits, or %s.",
        config.origin(), config.name(field), how, remedy);
  }
}
