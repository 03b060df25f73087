package org.tokentune.datasets;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import org.tokentune.BadInputException;

/**
 * A Hugging Face tokenizer ({@code tokenizer.json}). What the file says of padding and truncation
 * does not count.
 */
public final class TextTokenizer implements AutoCloseable {

  private final HuggingFaceTokenizer tokenizer;
  private final int longest;
  private final boolean cut;

  private TextTokenizer(HuggingFaceTokenizer tokenizer, int longest, boolean cut) {
    this.tokenizer = tokenizer;
    this.longest = longest;
    this.cut = cut;
  }

  /**
   * Opens a tokenizer.
   *
   * @param json the file's bytes
   * @param origin the file, for messages
   * @param longest most tokens of a text or pair, with the special ones
   * @param cut whether longer texts are cut (of a pair the longer one first); otherwise they are
   *     refused
   */
  public static TextTokenizer open(byte[] json, String origin, int longest, boolean cut) {
    Map<String, String> options =
        Map.of(
            "padding", "false",
            "truncation", Boolean.toString(cut),
            "maxLength", Integer.toString(longest),
            "modelMaxLength", Integer.toString(longest));
    try {
      return new TextTokenizer(
          HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), options), longest, cut);
    } catch (IOException | RuntimeException e) {
      throw new BadInputException(
          e, "%s: the tokenizer.json is damaged or of an unknown kind; get it again.", origin);
    }
  }

  /**
   * A tokenised text.
   *
   * @param ids vocabulary numbers, with the special tokens
   * @param typeIds 0 for the first text, 1 for the second
   * @param words number of the word that a token is of, -1 for special tokens
   */
  public record Tokens(int[] ids, int[] typeIds, int[] words) {}

  /** Tokenises a text, or a pair where {@code pair} is not null. */
  public Tokens encode(String text, String pair) {
    Encoding encoding =
        pair == null
            ? tokenizer.encode(text, true, false)
            : tokenizer.encode(text, pair, true, false);
    return tokens(encoding, text);
  }

  /** Tokenises a text that is split into words already. */
  public Tokens encodeWords(String[] words) {
    return tokens(tokenizer.encode(words, true, false), String.join(" ", words));
  }

  private Tokens tokens(Encoding encoding, String text) {
    long[] ids = encoding.getIds();
    if (!cut && ids.length > longest) {
      throw new BadInputException(
          "A text of %d tokens is longer than the model's %d; shorten it, or train or embed with a maximal length, so that"
              + " texts are cut: \"%.60s...\"",
          ids.length, longest, text.strip());
    }
    return new Tokens(ints(ids), ints(encoding.getTypeIds()), ints(encoding.getWordIds()));
  }

  private static int[] ints(long[] values) {
    return Arrays.stream(values).mapToInt(Math::toIntExact).toArray();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
