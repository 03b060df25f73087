package org.tokentune.objectives;

import java.util.List;
import java.util.regex.Pattern;

/** One class of n for every token; only the first token of a word has a label. */
final class TokenClassification extends TokenObjective {

  /** Matches tags with a comma between any two; otherwise a comma is a tag, or a part of one. */
  private static final Pattern COMMAS = Pattern.compile("[^\\s,]+(\\s*,\\s*[^\\s,]+)+");

  TokenClassification() {
    super("TOKEN");
  }

  @Override
  public HeadShape headShape() {
    return HeadShape.TOKENS;
  }

  @Override
  public boolean areClasses() {
    return true;
  }

  @Override
  public List<String> split(String label) {
    return List.of(label.split(COMMAS.matcher(label).matches() ? "\\s*,\\s*" : "\\s+", -1));
  }

  @Override
  public String classSuffix() {
    return "ForTokenClassification";
  }

  @Override
  public String peftTaskType() {
    return "TOKEN_CLS";
  }
}
