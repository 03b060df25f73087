package org.tokentune.adapters;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.tokentune.formats.ConfigReader;

/**
 * The modules that {@code adapter_config.json} lists as adapted, to compare with the tensors.
 *
 * <p>Source: {@code check_target_module_exists} of PEFT 0.21.2.
 *
 * @param known whether the list can be evaluated: not for {@code all-linear} and a family's
 *     defaults, which PEFT itself writes as lists, and not for patterns that only Python supports
 * @param module tests a module by name
 */
record PeftTargets(boolean known, Predicate<String> module) {

  private static final PeftTargets UNKNOWN = new PeftTargets(false, module -> true);

  /**
   * Reads the fields.
   *
   * @param whole fully trained modules, which are never adapted
   */
  static PeftTargets read(ConfigReader fields, List<String> whole) {
    try {
      if (!fields.has("target_modules") || isAllLinear(fields)) {
        return UNKNOWN;
      }
      Predicate<String> targets = named(fields, "target_modules");
      if (!fields.value("target_modules").isTextual() && fields.has("layers_to_transform")) {
        targets = targets.and(inLayers(fields));
      }
      if (fields.has("exclude_modules")) {
        targets = targets.and(named(fields, "exclude_modules").negate());
      }
      for (String name : whole) {
        Pattern pattern = Pattern.compile("(^|.*\\.)" + name + "($|\\..*)");
        targets = targets.and(module -> !pattern.matcher(module).lookingAt());
      }
      return new PeftTargets(true, targets);
    } catch (PatternSyntaxException e) {
      return UNKNOWN;
    }
  }

  private static boolean isAllLinear(ConfigReader fields) {
    return fields.value("target_modules").asText().equals(LoraConfig.ALL_LINEAR);
  }

  /** A string is a pattern for full names; a list holds names or suffixes of names. */
  private static Predicate<String> named(ConfigReader fields, String field) {
    if (fields.value(field).isTextual()) {
      Pattern pattern = Pattern.compile(fields.text(field, ""));
      return module -> pattern.matcher(module).matches();
    }
    List<String> names = fields.texts(field);
    return module -> names.stream().anyMatch(name -> LoraConfig.endsWith(module, name));
  }

  private static Predicate<String> inLayers(ConfigReader fields) {
    List<Integer> layers = new ArrayList<>();
    if (fields.value("layers_to_transform").isArray()) {
      for (JsonNode layer : fields.value("layers_to_transform")) {
        if (!layer.canConvertToInt()) {
          throw fields.bad("layers_to_transform", "a list of whole numbers");
        }
        layers.add(layer.intValue());
      }
    } else {
      layers.add(fields.index("layers_to_transform", 0));
    }
    if (layers.isEmpty()) {
      return module -> true;
    }
    List<String> lists =
        !fields.has("layers_pattern")
            ? List.of()
            : fields.value("layers_pattern").isTextual()
                ? List.of(fields.text("layers_pattern", ""))
                : fields.texts("layers_pattern");
    List<Pattern> patterns =
        lists.stream().allMatch(String::isEmpty)
            ? List.of(Pattern.compile(".*?\\.[^.]*\\.(\\d+)\\."))
            : lists.stream()
                .map(list -> Pattern.compile("(?:^|.*?\\.)" + list + "\\.(\\d+)\\."))
                .toList();
    return module ->
        patterns.stream()
            .map(pattern -> pattern.matcher(module))
            .filter(Matcher::lookingAt)
            .findFirst()
            .filter(layer -> layers.contains(Integer.valueOf(layer.group(1))))
            .isPresent();
  }
}
