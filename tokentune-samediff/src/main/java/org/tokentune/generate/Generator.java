package org.tokentune.generate;

import static org.tokentune.Arguments.required;

import java.util.Arrays;
import java.util.function.IntConsumer;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
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
  private final Decoder decoder;

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

    if (model.head().task() != Objectives.CAUSAL_LM) {
      throw new BadSettingsException(
          "A model with a %s head cannot generate text; use a decoder.", model.head().task());
    }
    this.model = model;
    decoder = new Decoder(model, parameters, kernelMode);
  }

  /**
   * Continues a text.
   *
   * @param prompt its tokens, at least one
   * @param listener receives every new token as soon as it is sampled
   * @throws BadInputException for a prompt that is empty, has unknown tokens, or fills all of the
   *     model's positions
   */
  public Generation generate(int[] prompt, GenerationSettings settings, IntConsumer listener) {
    required(prompt, "prompt");
    required(settings, "settings");
    required(listener, "listener");

    int context = model.config().maxPositions();
    check(prompt, context);
    TokenSampler sampler = new TokenSampler(settings);
    int most = Math.min(settings.maxTokens(), context - prompt.length);
    int[] ids = new int[most];
    decoder.begin(prompt.length + most);
    float[] logits = decoder.next(prompt, 0);
    for (int i = 0; i < most; i++) {
      if (i > 0) {
        logits = decoder.next(new int[] {ids[i - 1]}, prompt.length + i - 1);
      }
      int id = sampler.next(logits);
      if (settings.ends().contains(id)) {
        return new Generation(Arrays.copyOf(ids, i), Generation.End.END_TOKEN);
      }
      ids[i] = id;
      listener.accept(id);
    }
    return new Generation(
        ids, most < settings.maxTokens() ? Generation.End.CONTEXT : Generation.End.MAX_TOKENS);
  }

  private void check(int[] prompt, int context) {
    if (prompt.length == 0) {
      throw new BadDataException("The prompt is empty; give at least one token.");
    }
    if (prompt.length >= context) {
      throw new BadDataException(
          "A prompt of %d tokens leaves no room within the model's %d positions; shorten it.",
          prompt.length, context);
    }
    for (int id : prompt) {
      if (id < 0 || id >= model.config().vocabulary()) {
        throw new BadDataException(
            "The prompt's token %d is not among the model's %d; use the model's own tokenizer.",
            id, model.config().vocabulary());
      }
    }
  }

  @Override
  public void close() {
    decoder.close();
  }
}
