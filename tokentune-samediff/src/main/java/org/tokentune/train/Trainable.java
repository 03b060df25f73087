package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.models.TransformerModel;

/** Selects the parameters of a model that train. */
public final class Trainable {

  private Trainable() {}

  /**
   * Parses {@code --trainable} of the command line: {@code all}, {@code head}, {@code
   * no-embeddings}, or patterns of whole names separated by commas, with {@code *} for anything,
   * e.g. {@code bert.encoder.layer.5.*,classifier.*}.
   *
   * @throws BadInputException if a pattern matches no parameter
   */
  public static Predicate<String> parse(String choice, TransformerModel model) {
    required(choice, "choice");
    required(model, "model");

    return switch (choice.strip()) {
      case "all" -> name -> true;
      case "head" -> model::isHead;
      case "no-embeddings" -> name -> !model.isEmbedding(name);
      default -> patterns(choice, model);
    };
  }

  private static Predicate<String> patterns(String choice, TransformerModel model) {
    List<Predicate<String>> patterns =
        Arrays.stream(choice.split(",", -1)).map(part -> pattern(part.strip(), model)).toList();
    return name -> patterns.stream().anyMatch(pattern -> pattern.test(name));
  }

  private static Predicate<String> pattern(String glob, TransformerModel model) {
    String regex =
        Arrays.stream(glob.split("\\*", -1)).map(Pattern::quote).collect(Collectors.joining(".*"));
    Predicate<String> matches = Pattern.compile(regex).asMatchPredicate();
    if (model.parameters().keySet().stream().noneMatch(matches)) {
      throw new BadSettingsException(
          "No parameter is called %s; give all, head, no-embeddings or a pattern such as"
              + " bert.encoder.layer.0.*,classifier.*.",
          glob);
    }
    return matches;
  }
}
