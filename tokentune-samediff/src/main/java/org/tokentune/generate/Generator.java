package org.tokentune.generate;

import static org.tokentune.Arguments.required;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;

/**
 * Continues texts with a decoder. Not thread-safe.
 *
 * <p>The key/value cache is as large as the longest text requested so far, rounded up to a power of
 * two.
 */
public final class Generator implements AutoCloseable {

  private final TransformerModel model;
  private final CachedDecoder decoder;

  /**
   * Generates with the arrays of {@code parameters} directly, so later changes to them take effect.
   *
   * @throws BadInputException if the model is not a causal language model
   */
  public Generator(TransformerModel model, Parameters parameters) {
    this(model, parameters, KernelMode.preferred());
  }

  /** As {@link #Generator(TransformerModel, Parameters)}, in a given kernel mode. */
  public Generator(TransformerModel model, Parameters parameters, KernelMode kernelMode) {
    required(model, "model");
    required(parameters, "parameters");
    required(kernelMode, "kernelMode");

    checkCausal(model);
    this.model = model;
    decoder = new CachedDecoder(model, parameters, kernelMode);
  }

  /**
   * Continues a text.
   *
   * @param prompt its tokens, at least one
   * @param listener receives every new token as soon as it is sampled; of beam search all at its
   *     end
   * @throws BadInputException for a prompt that is empty, has unknown tokens, or fills all of the
   *     model's positions
   */
  public Generation generate(int[] prompt, GenerationSettings settings, IntConsumer listener) {
    required(settings, "settings");
    checkStops(settings, StopCondition.NONE);
    return generate(prompt, settings, StopCondition.NONE, listener);
  }

  /**
   * As {@link #generate(int[], GenerationSettings, IntConsumer)}.
   *
   * @param stop ends the text, as the settings' texts do that need a tokenizer
   */
  public Generation generate(
      int[] prompt, GenerationSettings settings, StopCondition stop, IntConsumer listener) {
    required(prompt, "prompt");
    required(settings, "settings");
    required(stop, "stop");
    required(listener, "listener");
    int context = model.config().maxPositions();
    check(prompt, model.config());
    checkStops(settings, stop);
    if (settings.search().beams() > 1) {
      Generation best = new BeamSearcher(decoder, context, prompt, settings, stop).search();
      Arrays.stream(best.ids()).forEach(listener);
      return best;
    }
    Continuation text = new Continuation(prompt, settings, stop, context);
    decoder.begin(prompt.length + Continuation.mostTokens(prompt, settings, context));
    float[] logits = decoder.next(prompt, 0);
    while (text.add(logits)) {
      listener.accept(text.last());
      if (text.ended()) {
        break;
      }
      logits = decoder.next(new int[] {text.last()}, text.position());
    }
    return text.result();
  }

  /**
   * Continues several texts side by side: with the same seed, as if one after the other. Beam
   * search takes one after the other.
   *
   * @param prompts tokens of each, of any lengths; all of their keys and values are held at once
   * @param stop as in {@link #generate(int[], GenerationSettings, StopCondition, IntConsumer)}
   * @throws BadInputException as {@link #generate(int[], GenerationSettings, IntConsumer)}
   */
  public List<Generation> generate(
      List<int[]> prompts, GenerationSettings settings, StopCondition stop) {
    required(prompts, "prompts");
    required(settings, "settings");
    required(stop, "stop");
    int context = model.config().maxPositions();
    prompts.forEach(prompt -> check(prompt, model.config()));
    checkStops(settings, stop);
    if (settings.search().beams() > 1) {
      return prompts.stream().map(one -> generate(one, settings, stop, id -> {})).toList();
    }
    if (prompts.isEmpty()) {
      return List.of();
    }
    int rows =
        prompts.stream()
            .mapToInt(one -> one.length + Continuation.mostTokens(one, settings, context))
            .reduce(0, Math::addExact);
    ContinuousGenerator together = new ContinuousGenerator(model, decoder, rows);
    List<ContinuousGenerator.Text> texts =
        prompts.stream().map(one -> together.add(one, settings, stop, id -> {})).toList();
    while (texts.stream().anyMatch(text -> !text.ended())) {
      together.step();
    }
    return texts.stream().map(ContinuousGenerator.Text::resultOrFailure).toList();
  }

  static void checkCausal(TransformerModel model) {
    if (model.head().task() != Objectives.CAUSAL_LM) {
      throw new BadSettingsException(
          "A model with a %s head cannot generate text; use a decoder.", model.head().task());
    }
  }

  static void checkStops(GenerationSettings settings, StopCondition stop) {
    if (stop == StopCondition.NONE && !settings.stops().isEmpty()) {
      throw BadSettingsException.of(
          "stops", "need a tokenizer; generate with a LanguageModel, or give a StopCondition.");
    }
  }

  static void check(int[] prompt, ModelConfig config) {
    int context = config.maxPositions();
    if (prompt.length == 0) {
      throw new BadDataException("The prompt is empty; give at least one token.");
    }
    if (prompt.length >= context) {
      throw new BadDataException(
          "A prompt of %d tokens leaves no room within the model's %d positions; shorten it.",
          prompt.length, context);
    }
    for (int id : prompt) {
      if (id < 0 || id >= config.vocabulary()) {
        throw new BadDataException(
            "The prompt's token %d is not among the model's %d; use the model's own tokenizer.",
            id, config.vocabulary());
      }
    }
  }

  @Override
  public void close() {
    decoder.close();
  }
}
