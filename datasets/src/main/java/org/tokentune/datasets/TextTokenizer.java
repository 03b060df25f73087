package org.tokentune.datasets;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;
import org.tokentune.BadInputException;
import org.tokentune.checkpoint.ModelFiles;
import org.tokentune.models.Task;

/**
 * A Hugging Face tokenizer ({@code tokenizer.json}). What the file says of padding and truncation
 * does not count.
 */
public final class TextTokenizer implements AutoCloseable {

  /** Characters that say which text it is. */
  private static final int QUOTED = 40;

  private final HuggingFaceTokenizer tokenizer;
  private final int longest;
  private final boolean cut;
  private final OptionalInt begin;
  private final Set<Integer> ends;

  private TextTokenizer(
      HuggingFaceTokenizer tokenizer,
      int longest,
      boolean cut,
      OptionalInt begin,
      Set<Integer> ends) {
    this.tokenizer = tokenizer;
    this.longest = longest;
    this.cut = cut;
    this.begin = begin;
    this.ends = ends;
  }

  /**
   * Opens a model's tokenizer; its configuration says which tokens begin and end a text.
   *
   * @param longest most tokens of a text or pair, with the special ones
   * @param cut whether longer texts are cut (of a pair the longer one first); otherwise they are
   *     refused
   */
  public static TextTokenizer open(ModelFiles files, int longest, boolean cut) {
    Set<Integer> begins = ids(files.config().path("bos_token_id"));
    return open(
        TokenizerJson.of(files.tokenizer(), files.name()),
        files.name(),
        longest,
        cut,
        begins.stream().mapToInt(Integer::intValue).findFirst(),
        ids(files.config().path("eos_token_id")));
  }

  /** Of a number or an array of numbers. */
  private static Set<Integer> ids(JsonNode field) {
    Set<Integer> ids = new LinkedHashSet<>();
    if (field.canConvertToInt()) {
      ids.add(field.intValue());
    }
    for (JsonNode id : field) {
      if (id.canConvertToInt()) {
        ids.add(id.intValue());
      }
    }
    return Collections.unmodifiableSet(ids);
  }

  /**
   * Opens a tokenizer; which tokens begin and end a text is not known.
   *
   * @param json the file's bytes
   * @param origin the file, for messages
   * @param longest most tokens of a text or pair, with the special ones
   * @param cut whether longer texts are cut (of a pair the longer one first); otherwise they are
   *     refused
   */
  public static TextTokenizer open(byte[] json, String origin, int longest, boolean cut) {
    return open(json, origin, longest, cut, OptionalInt.empty(), Set.of());
  }

  private static TextTokenizer open(
      byte[] json, String origin, int longest, boolean cut, OptionalInt begin, Set<Integer> ends) {
    Map<String, String> options =
        Map.of(
            "padding", "false",
            "truncation", Boolean.toString(cut),
            "maxLength", Integer.toString(longest),
            "modelMaxLength", Integer.toString(longest));
    try {
      return new TextTokenizer(
          HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), options),
          longest,
          cut,
          begin,
          ends);
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

  /**
   * A tokenised pair.
   *
   * @param ids vocabulary numbers, with the special tokens
   * @param typeIds 0 for the first text, 1 for the second
   * @param first position of the second text's first token
   * @param begins of each of the second text's tokens: Unicode characters of the text before it
   * @param ends of the same: Unicode characters of the text up to its end
   */
  record Pair(int[] ids, int[] typeIds, int first, int[] begins, int[] ends) {}

  /** Tokenises a pair of any length, as long as the tokenizer does not cut. */
  Pair encodePair(String text, String pair) {
    Encoding encoding = tokenizer.encode(text, pair, true, false);
    int[] second =
        IntStream.range(0, encoding.getIds().length)
            .filter(i -> encoding.getSequenceIds()[i] == 1)
            .toArray();
    CharSpan[] spans = encoding.getCharTokenSpans();
    return new Pair(
        ints(encoding.getIds()),
        ints(encoding.getTypeIds()),
        second.length == 0 ? encoding.getIds().length : second[0],
        Arrays.stream(second).map(i -> spans[i].getStart()).toArray(),
        Arrays.stream(second).map(i -> spans[i].getEnd()).toArray());
  }

  /** Tokenises a row; where words have tags, by its words. */
  public Tokens encode(Example row, Task task) {
    return task == Task.TOKEN
        ? encodeWords(Labels.words(row).toArray(String[]::new))
        : encode(row.text(), row.pair());
  }

  /** Tokenises a text that is split into words already. */
  public Tokens encodeWords(String[] words) {
    return tokens(tokenizer.encode(words, true, false), String.join(" ", words));
  }

  /** Tokens of a piece of text without special ones; where texts are not cut, of any length. */
  public int[] encodePiece(String text) {
    return ints(tokenizer.encode(text, false, false).getIds());
  }

  /** The text of tokens, without special ones. */
  public String decode(int... ids) {
    return tokenizer.decode(Arrays.stream(ids).asLongStream().toArray(), true);
  }

  /** The beginning of the text of tokens, between quotes: what a row is called in messages. */
  public String quoted(int... ids) {
    String text = decode(ids).strip();
    return '"' + (text.length() > QUOTED ? text.substring(0, QUOTED) + "..." : text) + '"';
  }

  /** The token that begins a text, where it is known. */
  public OptionalInt begin() {
    return begin;
  }

  /** Tokens that end a text, as far as they are known. */
  public Set<Integer> ends() {
    return ends;
  }

  private Tokens tokens(Encoding encoding, String text) {
    long[] ids = encoding.getIds();
    if (!cut && ids.length > longest) {
      throw new BadInputException(
          "A text of %d tokens is longer than the model's %d; shorten it, or train or embed with a maximal length"
              + " (--max-length), so that texts are cut: \"%.60s...\"",
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
