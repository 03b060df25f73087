package org.tokentune.objectives;

/** A task that transformers and PEFT call sequence classification, whatever its labels are. */
abstract class SequenceObjective extends TextObjective {

  SequenceObjective(String name) {
    super(name);
  }

  @Override
  public final HeadShape headShape() {
    return HeadShape.TEXT;
  }

  @Override
  public final String classSuffix() {
    return "ForSequenceClassification";
  }

  @Override
  public final String peftTaskType() {
    return "SEQ_CLS";
  }
}
