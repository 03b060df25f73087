package org.tokentune.models;

/**
 * What stands on the encoder.
 *
 * @param outputs number of classes, labels or regressed numbers; the vocabulary's size for a masked
 *     language model
 * @param pooling for tasks over whole texts
 */
public record Head(Task task, int outputs, Pooling pooling) {

  /** Whether the head reads every token, and not one row of a text. */
  public boolean perToken() {
    return task == Task.TOKEN || task == Task.MASKED_LM;
  }
}
