package org.tokentune.text;

import java.util.List;
import java.util.function.Consumer;
import org.tokentune.datasets.TextTokenizer;

/** Gives the text of new tokens piece by piece, up to the first text that ends it. */
final class TextPieces {

  private final TextStream stream;
  private final StopTexts stops;

  /**
   * @param prompt tokens before the new ones, whose text is not given
   * @param stops texts that end it
   * @param listener gets the text; pieces that could begin a stop come later
   */
  TextPieces(TextTokenizer tokenizer, int[] prompt, List<String> stops, Consumer<String> listener) {
    stream = new TextStream(tokenizer, prompt);
    this.stops = new StopTexts(stops, listener);
  }

  void add(int id) {
    stops.add(stream.next(id));
  }

  /** No more tokens come. */
  void end() {
    stops.add(stream.end());
    stops.end();
  }
}
