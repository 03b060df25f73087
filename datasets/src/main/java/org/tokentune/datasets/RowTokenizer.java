package org.tokentune.datasets;

import java.util.List;
import org.tokentune.objectives.Objective;

/** Tokenises rows elsewhere, on other machines for example. */
@FunctionalInterface
public interface RowTokenizer {

  /**
   * Tokenises rows as {@link TextTokenizer#encode(Example, Objective, OnLong)} does.
   *
   * @return the rows' tokens, in their order
   * @throws org.tokentune.BadInputException likewise
   */
  List<TextTokenizer.RowTokens> encode(
      TokenizerRecipe tokenizer, List<Example> rows, Objective task, OnLong onLong);
}
