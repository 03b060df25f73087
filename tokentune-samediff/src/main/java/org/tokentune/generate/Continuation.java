package org.tokentune.generate;

import java.util.Arrays;

/** A text that grows token by token, with its own random numbers. */
final class Continuation {

  private final int[] prompt;
  private final GenerationSettings settings;
  private final StopCondition stop;
  private final TokenSampler sampler;
  private final int[] ids;
  private int count;
  private Generation.End end;

  /**
   * @param context the model's positions
   */
  Continuation(int[] prompt, GenerationSettings settings, StopCondition stop, int context) {
    this.prompt = prompt;
    this.settings = settings;
    this.stop = stop;
    sampler = new TokenSampler(settings, prompt);
    ids = new int[mostTokens(prompt, settings, context)];
  }

  /** The largest number of new tokens. */
  static int mostTokens(int[] prompt, GenerationSettings settings, int context) {
    return Math.min(settings.maxTokens(), context - prompt.length);
  }

  /** Why a text of that many new tokens ends there. */
  static Generation.End full(int newTokens, GenerationSettings settings) {
    return newTokens < settings.maxTokens() ? Generation.End.CONTEXT : Generation.End.MAX_TOKENS;
  }

  /**
   * Samples the next token.
   *
   * @return whether one was added: not if it ends the text
   */
  boolean add(float[] logits) {
    int id = sampler.next(logits);
    if (settings.ends().contains(id)) {
      end = Generation.End.END_TOKEN;
      return false;
    }
    ids[count++] = id;
    if (stop.isComplete(prompt, ids())) {
      end = Generation.End.STOP;
    } else if (count == ids.length) {
      end = full(count, settings);
    }
    return true;
  }

  boolean ended() {
    return end != null;
  }

  /** The last new token. */
  int last() {
    return ids[count - 1];
  }

  /** The last new token's position in the whole text. */
  int position() {
    return prompt.length + count - 1;
  }

  private int[] ids() {
    return Arrays.copyOf(ids, count);
  }

  Generation result() {
    return new Generation(ids(), end);
  }
}
