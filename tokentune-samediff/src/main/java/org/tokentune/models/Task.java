package org.tokentune.models;

/** What a model's head does. */
public enum Task {
  /** One class of n for a text. */
  CLASSIFY,
  /** Any of n labels for a text. */
  MULTILABEL,
  /** Numbers for a text. */
  REGRESS,
  /** One class of n for every token. */
  TOKEN,
  /** The vocabulary's word for every masked token. */
  MASKED_LM
}
