package org.tokentune.text;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.List;
import org.tokentune.BadInputException;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.generate.ContinuousGenerator;
import org.tokentune.generate.Generation;
import org.tokentune.generate.GenerationSettings;

/**
 * Texts that are generated side by side, each of which may begin while others are under way. Not
 * thread-safe.
 */
public final class GenerationBatch implements AutoCloseable {

  private final ContinuousGenerator generator;
  private final TextTokenizer tokenizer;
  private final List<Running> running = new ArrayList<>();

  GenerationBatch(ContinuousGenerator generator, TextTokenizer tokenizer) {
    this.generator = generator;
    this.tokenizer = tokenizer;
  }

  /** Receives a text while it is generated. */
  public interface Listener {

    /** A piece of the new text; pieces that could begin a text that ends it come later. */
    void piece(String text);

    /** The text is complete. */
    void end(Generation generation);

    /** The text cannot be continued; others can. */
    void fail(RuntimeException failure);

    /** Whether nobody waits for the text any more: it is then dropped, without an end. */
    boolean isGone();
  }

  private record Running(ContinuousGenerator.Text text, TextPieces pieces, Listener listener) {}

  /** Whether there is room for a text now. */
  public boolean fits(int[] ids, GenerationSettings settings) {
    return generator.fits(ids, settings);
  }

  /**
   * Begins a text.
   *
   * @param ids tokens to continue, at least one
   * @throws BadInputException for tokens that cannot be continued, and if there is no room
   */
  public void add(int[] ids, GenerationSettings settings, Listener listener) {
    required(ids, "ids");
    required(settings, "settings");
    required(listener, "listener");

    TextPieces pieces = new TextPieces(tokenizer, ids, settings.stops(), listener::piece);
    ContinuousGenerator.Text text =
        generator.add(ids, settings, StopTexts.condition(tokenizer, settings.stops()), pieces::add);
    running.add(new Running(text, pieces, listener));
    finish();
  }

  /** Adds a token to each text, after dropping those that nobody waits for. */
  public void step() {
    running.removeIf(GenerationBatch::leftIfGone);
    generator.step();
    finish();
  }

  /** Asks once: another thread may answer differently a moment later. */
  private static boolean leftIfGone(Running one) {
    boolean gone = one.listener().isGone();
    if (gone) {
      one.text().leave();
    }
    return gone;
  }

  private void finish() {
    List<Running> ended = running.stream().filter(one -> one.text().ended()).toList();
    running.removeAll(ended);
    for (Running one : ended) {
      if (one.text().failure() != null) {
        one.listener().fail(one.text().failure());
        continue;
      }
      one.pieces().end();
      one.listener().end(one.text().result());
    }
  }

  /** Frees the memory; texts that have not ended get no end. */
  @Override
  public void close() {
    generator.close();
  }
}
