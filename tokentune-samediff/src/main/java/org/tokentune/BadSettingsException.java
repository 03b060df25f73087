package org.tokentune;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.util.Locale;
import java.util.Optional;

/** Reports settings and arguments that are out of range, unknown or null, or do not go together. */
public final class BadSettingsException extends BadInputException {

  private final String setting;
  private final String problem;

  /** Takes a {@link String#format} pattern and its arguments. */
  @FormatMethod
  public BadSettingsException(String message, Object... arguments) {
    super(message, arguments);
    setting = null;
    problem = null;
  }

  /** As above, with the underlying failure as the cause. */
  @FormatMethod
  public BadSettingsException(Throwable cause, String message, Object... arguments) {
    super(cause, message, arguments);
    setting = null;
    problem = null;
  }

  private BadSettingsException(String problem, String setting) {
    super("%s %s", setting, problem);
    this.setting = setting;
    this.problem = Printable.message(problem);
  }

  /**
   * Reports one setting, e.g. {@code epochs must be at least 1, got 0.}
   *
   * @param setting its name in Java
   * @param problem the rest of the message: a {@link String#format} pattern
   */
  @FormatMethod
  public static BadSettingsException of(
      String setting, @FormatString String problem, Object... arguments) {
    return new BadSettingsException(String.format(Locale.ROOT, problem, arguments), setting);
  }

  /** The name of the setting in Java; empty if it is not about one setting. */
  public Optional<String> setting() {
    return Optional.ofNullable(setting);
  }

  /** The message with another name for its one setting, such as a command's option. */
  public String messageWith(String name) {
    return name + " " + problem;
  }
}
