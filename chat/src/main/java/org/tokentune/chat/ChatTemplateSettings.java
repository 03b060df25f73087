package org.tokentune.chat;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Objects;

/**
 * The clock that {@code strftime_now} reads, and what a template, which is untrusted, may use up.
 *
 * @param clock the time and its zone
 * @param steps expressions and statements that may be evaluated in one rendering
 * @param characters characters of all texts that are made in one rendering, the output included
 * @param depth how deeply blocks, expressions, values and calls of macros may be nested
 * @param templateLength characters of the template
 */
public record ChatTemplateSettings(
    Clock clock, long steps, long characters, int depth, int templateLength) {

  /** Checks that there is a clock, and that the limits are positive. */
  public ChatTemplateSettings {
    Objects.requireNonNull(clock, "clock");
    if (steps < 1 || characters < 1 || depth < 1 || templateLength < 1) {
      throw new IllegalArgumentException(
          "The limits of a chat template must be at least 1, got steps "
              + steps
              + ", characters "
              + characters
              + ", depth "
              + depth
              + ", length "
              + templateLength
              + ".");
    }
  }

  /** The system's clock, a million steps, 64 million characters, depth 200, a template of 1 MB. */
  public static ChatTemplateSettings defaults() {
    return new ChatTemplateSettings(new SystemTime(), 1_000_000, 64_000_000, 200, 1_000_000);
  }

  /**
   * The system's clock. It asks for the time zone only when the time is asked for: few templates
   * do, and reading all zones would take a quarter of the time of the first rendering.
   */
  private static final class SystemTime extends Clock {

    @Override
    public ZoneId getZone() {
      return ZoneId.systemDefault();
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return Clock.system(zone);
    }

    @Override
    public Instant instant() {
      return Instant.now();
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof SystemTime;
    }

    @Override
    public int hashCode() {
      return SystemTime.class.hashCode();
    }
  }

  /** The same limits with another clock. */
  public ChatTemplateSettings withClock(Clock other) {
    return new ChatTemplateSettings(other, steps, characters, depth, templateLength);
  }

  /** The same with another limit of steps. */
  public ChatTemplateSettings withSteps(long other) {
    return new ChatTemplateSettings(clock, other, characters, depth, templateLength);
  }

  /** The same with another limit of characters. */
  public ChatTemplateSettings withCharacters(long other) {
    return new ChatTemplateSettings(clock, steps, other, depth, templateLength);
  }
}
