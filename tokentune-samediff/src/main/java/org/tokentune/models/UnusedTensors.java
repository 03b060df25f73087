package org.tokentune.models;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;

/**
 * Tensors of a checkpoint that the model does not read: constants that follow from the
 * configuration, heads of other tasks, or tensors that would change the model's results.
 *
 * @param model the loaded model
 * @param origin the checkpoint, for messages
 */
record UnusedTensors(TransformerModel model, String origin) {

  private static final int MOST_SHOWN = 5;

  /** Constants that follow from the configuration: positions, rotary frequencies, causal masks. */
  static final Pattern CONSTANT =
      Pattern.compile(
          "(.*\\.)?(inv_freq|position_ids|token_type_ids|masked_bias|attn\\.bias|rope_freqs\\.weight"
              + "|rope_factors_(long|short)\\.weight)");

  /**
   * Parts on top of a model: poolers, and heads of all tasks, in transformers and in the published
   * files of DeBERTa, whose positions are not added either.
   */
  private static final Pattern HEAD =
      Pattern.compile(
          "((bert|roberta|mpnet)\\.)?pooler\\..*"
              + "|(cls|lm_head|classifier|qa_outputs|pre_classifier|vocab_(transform|layer_norm|projector)"
              + "|score|multiple_choice_head|v_head|sequence_summary|head)\\..*"
              + "|(discriminator|generator|lm|mask)_predictions\\..*|generator_lm_head\\..*"
              + "|decoder\\.(weight|bias)|deberta\\.embeddings\\.position_embeddings\\..*");

  private static final Pattern QUANTISED =
      Pattern.compile(
          ".*\\.(SCB|weight_format|absmax|quant_map|nested_absmax|nested_quant_map|quant_state\\..*|qweight"
              + "|qzeros|scales|g_idx|weight_scale(_inv)?|input_scale|weight_packed|weight_shape|weight_zero_point"
              + "|activation_scale)");

  private static final Pattern ADAPTER = Pattern.compile(".*\\.lora_[A-Za-z_]+(\\..*)?");

  /** The number of a layer, and the text before it. */
  private static final Pattern LAYER = Pattern.compile("((?:.*?\\.)?)(\\d+)\\..*");

  /**
   * Checks them.
   *
   * @param names of all tensors
   * @param read names of those that were read
   * @throws BadInputException for a tensor in a layer or next to one that was read, which would
   *     change the results
   */
  void check(Set<String> names, Set<String> read) {
    Set<String> layers = layers();
    Set<String> modules = new TreeSet<>();
    read.forEach(name -> modules.add(module(name)));
    List<String> heads = new ArrayList<>();
    List<String> others = new ArrayList<>();
    for (String name : names) {
      if (read.contains(name) || CONSTANT.matcher(name).matches()) {
        continue;
      }
      if (QUANTISED.matcher(name).matches()) {
        throw isQuantised(origin, name);
      }
      if (ADAPTER.matcher(name).matches()) {
        throw new BadFileException(
            "%s holds %s, of an adapter that is not merged; in Python, call merge_and_unload() and"
                + " save_pretrained(), or save the adapters alone.",
            origin, name);
      }
      Matcher layer = LAYER.matcher(name);
      if (layer.matches() && layers.contains(layer.group(1))) {
        int count = model.config().layers();
        if (layer.group(2).length() > 9 || Integer.parseInt(layer.group(2)) >= count) {
          throw new BadFileException(
              "%s holds %s, but the configuration has %d layers, numbered from 0; correct their number, or remove the tensors of further layers.",
              origin, name, count);
        }
        throw unannounced(name, "the layer");
      }
      if (modules.contains(module(name))) {
        throw unannounced(name, module(name));
      }
      (HEAD.matcher(name).matches() ? heads : others).add(name);
    }
    if (!heads.isEmpty()) {
      Warnings.note("%s: not used for this: %s.", origin, modules(heads));
    }
    if (!others.isEmpty()) {
      Warnings.warn(
          "%s: unknown and not used: %s; check that the model does not need them.",
          origin, modules(others));
    }
  }

  private BadInputException unannounced(String name, String what) {
    return new BadFileException(
        "%s holds %s, which does not follow from the configuration; correct it or remove the tensor: with it %s would give other results.",
        origin, name, what);
  }

  /** Finds a tensor that only quantised checkpoints have; null if there is none. */
  static String quantised(Set<String> names) {
    return names.stream()
        .filter(name -> QUANTISED.matcher(name).matches())
        .findFirst()
        .orElse(null);
  }

  static BadInputException isQuantised(String origin, String name) {
    return new BadFileException(
        "%s is quantised (it holds %s), which is not supported; save the model dequantised, in 16 or"
            + " 32 bits.",
        origin, name);
  }

  /** The texts before the numbers of layers, with the model's prefix and without. */
  private Set<String> layers() {
    Set<String> layers = new LinkedHashSet<>();
    for (String name : model.parameters().keySet()) {
      Matcher layer = LAYER.matcher(name);
      if (layer.matches()) {
        layers.add(layer.group(1));
        if (layer.group(1).startsWith(model.prefix())) {
          layers.add(layer.group(1).substring(model.prefix().length()));
        }
      }
    }
    return layers;
  }

  /** The module that a tensor belongs to. */
  private static String module(String tensor) {
    return tensor.contains(".") ? tensor.substring(0, tensor.lastIndexOf('.')) : tensor;
  }

  private static String modules(List<String> tensors) {
    Set<String> modules = new TreeSet<>();
    for (String tensor : tensors) {
      modules.add(module(tensor));
    }
    String some = String.join(", ", modules.stream().limit(MOST_SHOWN).toList());
    return modules.size() <= MOST_SHOWN
        ? some
        : some + " and " + (modules.size() - MOST_SHOWN) + " more";
  }
}
