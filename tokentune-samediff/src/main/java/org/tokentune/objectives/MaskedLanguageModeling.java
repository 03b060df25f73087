package org.tokentune.objectives;

import java.util.Map;

/** Predicts the word for every masked token. */
final class MaskedLanguageModeling extends TokenObjective {

  MaskedLanguageModeling() {
    super("MASKED_LM");
  }

  @Override
  public HeadShape headShape() {
    return HeadShape.VOCABULARY;
  }

  @Override
  Map<String, String> architectures() {
    return encoders("ForMaskedLM");
  }
}
