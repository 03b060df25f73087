package org.tokentune.cli;

import java.util.Locale;
import java.util.Map;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import picocli.CommandLine.Model.CommandSpec;

/** Names settings of the library by a command's options. */
final class SettingOptions {

  /** Options that are not called as their settings are. */
  private static final Map<String, String> OTHERS =
      Map.of(
          "accumulation",
          "accumulate",
          "rateFactors",
          "lr-for",
          "budget",
          "memory",
          "dimensions",
          "matryoshka",
          "stops",
          "stop");

  private SettingOptions() {}

  /** The message, with the command's option in place of a setting. */
  static String message(BadInputException e, CommandSpec command) {
    return e instanceof BadSettingsException bad
        ? bad.setting()
            .map(SettingOptions::option)
            .filter(option -> command.findOption(option) != null)
            .map(bad::messageWith)
            .orElse(e.getMessage())
        : e.getMessage();
  }

  private static String option(String setting) {
    String words = setting.replaceAll("(?=[A-Z])", "-").toLowerCase(Locale.ROOT);
    return "--" + OTHERS.getOrDefault(setting, words);
  }
}
