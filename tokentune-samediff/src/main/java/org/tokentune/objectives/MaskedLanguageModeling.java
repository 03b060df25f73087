package org.tokentune.objectives;

import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.ops.Losses;
import org.tokentune.ops.TokenGather;

/** The vocabulary's word for every masked token. */
final class MaskedLanguageModeling extends TokenObjective {

  MaskedLanguageModeling() {
    super("MASKED_LM");
  }

  @Override
  public HeadShape headShape() {
    return HeadShape.VOCABULARY;
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
  String architectureSuffix() {
    return "ForMaskedLM";
  }
}
