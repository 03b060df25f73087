package org.tokentune.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import org.tokentune.Printable;
import org.tokentune.datasets.ChatFormat;
import org.tokentune.datasets.Conversation;
import org.tokentune.datasets.Conversations;
import org.tokentune.datasets.StreamedRows;
import org.tokentune.datasets.TokenBatches;
import org.tokentune.text.LanguageModel;

/** Reads conversations as rows, and remembers the first to show it. */
final class ChatRows {

  private final ChatFormat format;
  private final ChatFormat.Learned learned;
  private final int longest;
  private Conversation first;

  /**
   * @param longest tokens to which rows are cut
   */
  ChatRows(ChatFormat format, ChatFormat.Learned learned, int longest) {
    this.format = format;
    this.learned = learned;
    this.longest = longest;
  }

  List<TokenBatches.Row> read(Path file) {
    List<Conversation> conversations = Conversations.read(file);
    first = first == null ? conversations.get(0) : first;
    return format.rows(conversations, learned, longest);
  }

  /** Streams a file. */
  StreamedRows stream(LanguageModel model, Path file) {
    first = Conversations.first(file);
    return model.stream(file, format, learned, longest);
  }

  /** Prints the first conversation with what is learned of it. */
  void printFirst(PrintWriter out) {
    out.println("The first conversation, what is learned between [[ and ]]:");
    out.println(Printable.lines(format.shown(format.tokens(first, learned))));
    out.flush();
  }
}
