package org.tokentune.objectives;

import java.util.List;
import java.util.regex.Pattern;
import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.ops.Losses;
import org.tokentune.ops.TokenGather;

/** One class of n for every token, of which all but a word's first have no label. */
final class TokenClassification extends TokenObjective {

  /** Tags with a comma between any two; otherwise a comma is a tag, or a part of one. */
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
  public SDVariable loss(LossInputs inputs, SDVariable logits) {
    SDVariable labels =
        TokenGather.elements(inputs.labels(), TokenGather.rowIds(inputs.ids(), inputs.selected()));
    return Losses.softmaxCrossEntropy(logits, inputs.outputs(), labels, null, inputs.kernelMode());
  }

  @Override
  public Tally tally(int outputs) {
    return new ClassTally(this, outputs);
  }

  @Override
  public List<String> split(String label) {
    return List.of(label.split(COMMAS.matcher(label).matches() ? "\\s*,\\s*" : "\\s+", -1));
  }

  @Override
  String architectureSuffix() {
    return "ForTokenClassification";
  }

  @Override
  public String peftTaskType() {
    return "TOKEN_CLS";
  }
}
