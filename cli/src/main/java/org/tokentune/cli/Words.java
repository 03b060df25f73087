package org.tokentune.cli;

import java.util.List;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.TypeConversionException;

/** Option values that are words: from a list, in upper or lower case, or with escapes. */
final class Words {

  private Words() {}

  /** Makes all commands read enums by the words that their constants print. */
  static CommandLine read(CommandLine commands) {
    for (CommandLine command : commands.getSubcommands().values()) {
      for (OptionSpec option : command.getCommandSpec().options()) {
        for (Class<?> type : option.auxiliaryTypes()) {
          if (type.isEnum()) {
            register(commands, type);
          }
        }
      }
      read(command);
    }
    return commands;
  }

  private static <E> void register(CommandLine commands, Class<E> type) {
    commands.registerConverter(type, word -> find(List.of(type.getEnumConstants()), word));
  }

  /** With line breaks and tabs in place of {@code \\n} and {@code \\t}. */
  static String unescaped(String word) {
    return word.replace("\\n", "\n").replace("\\t", "\t");
  }

  /** The value that prints this word. */
  static <T> T find(List<T> values, String word) {
    return values.stream()
        .filter(value -> value.toString().equalsIgnoreCase(word))
        .findFirst()
        .orElseThrow(
            () ->
                new TypeConversionException(
                    String.format(Locale.ROOT, "expected one of %s but was '%s'", values, word)));
  }
}
