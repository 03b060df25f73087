package org.tokentune.objectives;

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
  public String classSuffix() {
    return "ForMaskedLM";
  }
}
