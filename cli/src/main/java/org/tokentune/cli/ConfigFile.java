package org.tokentune.cli;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.formats.Limits;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * A command's options in a YAML file: names without dashes, such as {@code learning-rate: 1e-4}; a
 * list for an option that may be repeated, a map for {@code WHAT=FACTOR}, {@code true} for a flag.
 */
final class ConfigFile {

  static final String OPTION = "--config";

  /** Next to the model that a run saved. */
  static final String EFFECTIVE = "run.yaml";

  /** Options whose defaults depend on others: they are written only if they were given. */
  private static final Set<String> ONLY_GIVEN = Set.of("--task", "--trainable");

  /** Never written, as a run that is repeated should not replace a model. */
  private static final Set<String> NEVER = Set.of(OPTION, OutputOptions.OVERWRITE);

  private static final YAMLMapper YAML =
      YAMLMapper.builder(
              YAMLFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
                  .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                  .build())
          .build();

  private ConfigFile() {}

  /**
   * Arguments with the options of the file that {@code --config} names; options on the command line
   * win over those in the file.
   *
   * @throws BadInputException if the file cannot be read, or names an option that there is not
   */
  static String[] expand(CommandLine commands, String... arguments) {
    Path file = file(arguments);
    CommandLine command = file == null ? null : commands.getSubcommands().get(arguments[0]);
    if (command == null
        || command.getCommandSpec().findOption(OPTION) == null
        || arguments[0].equals(SearchCommand.NAME)) { // whose file has another command's options
      return arguments;
    }
    List<String> expanded = new ArrayList<>();
    expanded.add(arguments[0]);
    for (Map.Entry<String, JsonNode> entry : read(file).properties()) {
      String name = "--" + entry.getKey();
      OptionSpec option = command.getCommandSpec().findOption(name);
      if (option == null || name.equals(OPTION)) {
        throw new BadSettingsException(
            "%s: %s has no option %s; see tokentune %s --help.",
            file, arguments[0], entry.getKey(), arguments[0]);
      }
      boolean onLine =
          Arrays.stream(arguments).anyMatch(a -> a.equals(name) || a.startsWith(name + "="));
      if (!onLine) {
        add(expanded, option, name, entry.getValue(), file);
      }
    }
    expanded.addAll(Arrays.asList(arguments).subList(1, arguments.length));
    return expanded.toArray(String[]::new);
  }

  private static Path file(String... arguments) {
    for (int i = 1; i < arguments.length; i++) {
      if (arguments[i].startsWith(OPTION + "=")) {
        return Path.of(arguments[i].substring(OPTION.length() + 1));
      }
      boolean value = i + 1 < arguments.length && !arguments[i + 1].startsWith("--");
      if (arguments[i].equals(OPTION) && value) { // without one, picocli says so
        return Path.of(arguments[i + 1]);
      }
    }
    return null;
  }

  static ObjectNode read(Path file) {
    if (!Files.exists(file) || Files.isDirectory(file)) {
      throw new BadFileException("%s '%s' is not a file; check the path.", OPTION, file);
    }
    try {
      if (Files.size(file) > Limits.CONFIG_BYTES) {
        throw new BadFileException(
            "%s is larger than the %d bytes supported for a configuration.",
            file, Limits.CONFIG_BYTES);
      }
      if (YAML.readTree(Files.readString(file)) instanceof ObjectNode options) {
        return options;
      }
    } catch (CharacterCodingException e) {
      throw new BadFileException(e, "%s is not text in UTF-8; save it as UTF-8.", file);
    } catch (IOException e) {
      String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      throw new BadFileException(e, "%s is not valid YAML: %.200s.", file, reason);
    }
    throw new BadFileException(
        "%s is not a list of options such as learning-rate: 1e-4, one on each line.", file);
  }

  private static void add(
      List<String> arguments, OptionSpec option, String name, JsonNode value, Path file) {
    boolean flag = option.arity().max() == 0;
    if (flag && value.isBoolean()) {
      if (value.booleanValue()) {
        arguments.add(name);
      }
    } else if (!flag && value.isArray()) {
      value.forEach(part -> add(arguments, option, name, part, file));
    } else if (!flag && value.isObject()) {
      value
          .properties()
          .forEach(e -> arguments.add(name + "=" + e.getKey() + "=" + e.getValue().asText()));
    } else if (!flag && value.isValueNode() && !value.asText("").isEmpty()) {
      arguments.add(name + "=" + value.asText());
    } else {
      throw new BadSettingsException(
          "%s: %s cannot be %s; give %s.",
          file, name.substring(2), value, flag ? "true or false" : "a value");
    }
  }

  /** Writes the options that a command ran with, defaults included. */
  static void write(Path file, CommandSpec spec) {
    write(file, options(spec));
  }

  /** The options that a command ran with, defaults included, by their names without dashes. */
  static ObjectNode options(CommandSpec spec) {
    ObjectNode options = YAML.createObjectNode();
    for (OptionSpec option : spec.options()) {
      String name = option.longestName();
      boolean given = spec.commandLine().getParseResult().hasMatchedOption(option);
      if (option.usageHelp() || option.versionHelp() || NEVER.contains(name)) {
        continue;
      }
      String key = name.substring(2);
      if (option.arity().max() == 0) {
        if (given) {
          options.put(key, true);
        }
      } else if (given && option.originalStringValues().size() > 1) {
        option.originalStringValues().forEach(options.withArray(key)::add);
      } else if (given) {
        options.put(key, option.originalStringValues().get(0));
      } else if (option.defaultValue() != null && !ONLY_GIVEN.contains(name)) {
        options.put(key, option.defaultValue());
      }
    }
    return options;
  }

  /** Writes options, by their names without dashes. */
  static void write(Path file, ObjectNode options) {
    new OutputFile(file)
        .write(out -> out.write(YAML.writeValueAsString(options).getBytes(StandardCharsets.UTF_8)));
  }
}
