package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

/** Two answers to a prompt, one of which is better. */
public sealed interface Preference {

  /** Names the file and the row, for messages. */
  String position();

  /** Plain texts. */
  record Texts(String position, String prompt, String chosen, String rejected)
      implements Preference {

    public Texts {
      required(position, "position");
      required(prompt, "prompt");
      required(chosen, "chosen");
      required(rejected, "rejected");
    }
  }

  /**
   * Conversations.
   *
   * @param prompt the messages before the answer
   * @param chosen the same messages with the better answer
   * @param rejected the same messages with the other answer
   */
  record Chat(Conversation prompt, Conversation chosen, Conversation rejected)
      implements Preference {

    public Chat {
      required(prompt, "prompt");
      required(chosen, "chosen");
      required(rejected, "rejected");
    }

    @Override
    public String position() {
      return prompt.position();
    }
  }
}
