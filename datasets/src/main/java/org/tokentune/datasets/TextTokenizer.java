package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.tokentune.BadDataException;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.Warnings;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.GenerationConfig;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.TokenizerConfig;
import org.tokentune.formats.TokenizerSource;
import org.tokentune.models.ModelConfig;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;

/**
 * A Hugging Face tokenizer ({@code tokenizer.json}). Settings for padding and truncation in the
 * file are ignored.
 */
public final class TextTokenizer implements AutoCloseable {

  /** The number of characters by which messages identify a text. */
  private static final int QUOTED = 40;

  /**
   * Special tokens that end a text or a turn, whatever the files say, for the models that this
   * project knows. Source: llama.cpp's {@code llama_vocab::impl::load}.
   */
  private static final Set<String> ENDS =
      Set.of(
          "</s>",
          "<EOT>",
          "<end_of_turn>",
          "<end_of_utterance>",
          "<eos>",
          "<|end_of_text|>",
          "<|endoftext|>",
          "<|end|>",
          "<|eom_id|>",
          "<|eot_id|>",
          "<|im_end|>",
          "[EOS]",
          "[EOT]",
          "_<EOT>");

  /** How SentencePiece and byte-level tokenizers write a space. */
  private static final String METASPACE = "\u2581";

  private static final String BYTE_SPACE = "\u0120";

  /** How BERT and RoBERTa write a mask. */
  private static final Set<String> MASKS = Set.of("[MASK]", "<mask>");

  private final HuggingFaceTokenizer tokenizer;

  /**
   * The same tokenizer, unless special tokens in a text are treated as text: then {@code tokenizer}
   * has none.
   */
  private final HuggingFaceTokenizer decoder;

  private final Use use;
  private final int longest;
  private final boolean cut;
  private final int[] before;
  private volatile boolean closed;

  /**
   * How a model uses its tokenizer.
   *
   * @param origin of the tokenizer, for messages
   * @param words in the model's table
   * @param types in the model's table of token types; 0 if all tokens have type 0
   * @param cutsLeft whether texts that are too long lose their beginning
   * @param spaced whether words in a list, except the first, need a space before them
   * @param begins tokens that begin a text
   * @param ends tokens that end a text
   * @param special all special tokens
   * @param ordinary all others, in order
   * @param maskId the token in place of a hidden one; -1 if there is none
   */
  record Use(
      String origin,
      int words,
      int types,
      boolean cutsLeft,
      boolean spaced,
      Set<Integer> begins,
      Set<Integer> ends,
      Set<Integer> special,
      int[] ordinary,
      int maskId)
      implements Serializable {

    /** A tokenizer of which not all is known. */
    static Use alone(String origin, Set<Integer> ends) {
      int any = Integer.MAX_VALUE;
      return new Use(origin, any, any, false, false, Set.of(), ends, Set.of(), new int[0], -1);
    }
  }

  /**
   * @param json a {@code tokenizer.json}
   * @param whole the same with all special tokens; null if {@code json} has them
   */
  TextTokenizer(ObjectNode json, ObjectNode whole, Use use, int longest, boolean cut) {
    this.use = use;
    if (longest < 1) {
      throw BadSettingsException.of("longest", "must be at least 1, got %d.", longest);
    }
    this.longest = longest;
    this.cut = cut;
    NativeTokenizers.require();
    tokenizer = open(json, use.origin());
    decoder = whole == null ? tokenizer : open(whole, use.origin());
    before = before();
  }

  private static HuggingFaceTokenizer open(ObjectNode json, String origin) {
    TokenizerGuard.check(json, origin);
    Map<String, String> options =
        Map.of("padding", "false", "truncation", "false", "modelMaxLength", "2147483647");
    try {
      return HuggingFaceTokenizer.newInstance(
          new ByteArrayInputStream(TokenizerJson.bytes(json)), options);
    } catch (IOException | RuntimeException e) {
      throw new BadFileException(
          e,
          "%s: the tokenizer.json is damaged or of an unknown type (%s); download it again.",
          origin,
          e.getMessage());
    }
  }

  /**
   * Opens a model's tokenizer as transformers' {@code AutoTokenizer} would.
   *
   * @param longest the maximal number of tokens in a text or pair, including special tokens
   * @param cut whether longer texts are truncated (of a pair, the longer one first); otherwise they
   *     are rejected
   * @throws BadInputException if a file is damaged, or asks for something that is not supported
   */
  public static TextTokenizer open(ModelFiles files, int longest, boolean cut) {
    return open(files, longest, cut, false);
  }

  /**
   * As {@link #open(ModelFiles, int, boolean)}.
   *
   * @param lowerCase whether texts are lower-cased first, as with sentence-transformers' {@code
   *     do_lower_case}
   */
  public static TextTokenizer open(ModelFiles files, int longest, boolean cut, boolean lowerCase) {
    required(files, "files");

    AutoTokenizer auto = AutoTokenizer.of(files);
    if (lowerCase) {
      TokenizerJson.lowerCase(auto.json());
    }
    ModelConfig sizes = ModelConfig.read(files.config(), files.name());
    SpecialIds special = new SpecialIds(auto.json(), sizes.vocabulary(), files.name());
    special.warnOfTokensPastTheTable();
    Use use = use(auto, special, sizes, files);
    TextTokenizer opened = new TextTokenizer(ofTexts(auto), whole(auto), use, longest, cut);
    opened.warnOfSwitches(auto.config());
    return opened;
  }

  /**
   * What {@link #open(ModelFiles, int, boolean)} would open, to be opened elsewhere.
   *
   * @throws BadInputException if a file is damaged, or asks for something that is not supported
   */
  public static TokenizerRecipe recipe(ModelFiles files, int longest, boolean cut) {
    required(files, "files");

    AutoTokenizer auto = AutoTokenizer.of(files);
    ModelConfig sizes = ModelConfig.read(files.config(), files.name());
    SpecialIds special = new SpecialIds(auto.json(), sizes.vocabulary(), files.name());
    ObjectNode whole = whole(auto);
    return new TokenizerRecipe(
        TokenizerJson.bytes(ofTexts(auto)),
        whole == null ? null : TokenizerJson.bytes(whole),
        use(auto, special, sizes, files),
        longest,
        cut);
  }

  /** The file by which texts are tokenised. */
  private static ObjectNode ofTexts(AutoTokenizer auto) {
    return auto.config().splitsSpecial() ? TokenizerJson.withoutSpecial(auto.json()) : auto.json();
  }

  /** The file with all special tokens, if texts are tokenised without; otherwise null. */
  private static ObjectNode whole(AutoTokenizer auto) {
    return auto.config().splitsSpecial() ? auto.json() : null;
  }

  private static Use use(
      AutoTokenizer auto, SpecialIds special, ModelConfig sizes, ModelFiles files) {
    GenerationConfig generation = GenerationConfig.read(files.companions());
    ConfigReader config = ConfigReader.of(files.config(), files.name());
    Set<Integer> begins = new LinkedHashSet<>(special.known(config.indices("bos_token_id")));
    begins.addAll(special.known(generation.begins()));
    Set<Integer> ends = new LinkedHashSet<>(special.known(config.indices("eos_token_id")));
    ends.addAll(special.known(generation.ends()));
    ends.addAll(special.named(Set.of(auto.config().special().getOrDefault("eos_token", ""))));
    ends.addAll(special.named(ENDS));
    return new Use(
        files.name(),
        sizes.vocabulary(),
        auto.tokenTypes() && sizes.tokenTypes() > 1 ? sizes.tokenTypes() : 0,
        auto.cutsLeft(),
        auto.wantsSpaces(),
        begins,
        ends,
        special.all(),
        special.ordinary(),
        mask(auto, special).orElse(-1));
  }

  /** The token that the settings name, or that models are known to have. */
  private static OptionalInt mask(AutoTokenizer auto, SpecialIds special) {
    String named = auto.config().special().get("mask_token");
    Set<String> masks = named == null ? MASKS : Set.of(named);
    return special.named(masks).stream().mapToInt(Integer::intValue).findFirst();
  }

  /**
   * Opens a tokenizer without knowing which tokens begin and end a text.
   *
   * @param json the file's bytes
   * @param origin the file, for messages
   * @param longest the maximal number of tokens in a text or pair, including special tokens
   * @param cut whether longer texts are truncated (of a pair, the longer one first); otherwise they
   *     are rejected
   */
  public static TextTokenizer open(byte[] json, String origin, int longest, boolean cut) {
    required(json, "json");
    required(origin, "origin");

    Use use = Use.alone(origin, Set.of());
    ObjectNode tree = TokenizerJson.tree(new TokenizerSource.Json(json), origin);
    return new TextTokenizer(tree, null, use, longest, cut);
  }

  /**
   * Opens a tokenizer that has no model beside it.
   *
   * @param json the file's bytes
   * @param companions settings next to it, which may name the token that ends a text
   * @param origin the folder, for messages
   */
  public static TextTokenizer alone(byte[] json, CompanionFiles companions, String origin) {
    required(json, "json");
    required(companions, "companions");
    required(origin, "origin");

    int any = Integer.MAX_VALUE;
    ObjectNode tree = TokenizerJson.tree(new TokenizerSource.Json(json), origin);
    SpecialIds special = new SpecialIds(tree, any, origin);
    TokenizerConfig config =
        TokenizerConfig.read(companions, JsonNodeFactory.instance.objectNode());
    Set<Integer> ends =
        new LinkedHashSet<>(special.named(Set.of(config.special().getOrDefault("eos_token", ""))));
    ends.addAll(special.named(ENDS));
    Use use = Use.alone(origin, ends);
    return new TextTokenizer(tree, null, use, any, false);
  }

  /** Warns of switches that have no effect. */
  private void warnOfSwitches(TokenizerConfig config) {
    warnOfSwitch(config, "add_bos_token", config.addBegin(), before.length > 0, "before");
    warnOfSwitch(config, "add_eos_token", config.addEnd(), endsTexts(), "after");
  }

  private static void warnOfSwitch(
      TokenizerConfig config, String field, Boolean said, boolean done, String where) {
    if (said != null && said != done) {
      Warnings.warn(
          "%s: %s is %s, but the tokenizer.json beside it puts %s %s a text; the latter counts, as in"
              + " transformers 5.",
          config.origin(), field, said, done ? "one" : "none", where);
    }
  }

  /** Whether the tokenizer adds tokens after a text. */
  private boolean endsTexts() {
    return tokenizer.encode("", true, false).getIds().length > before.length;
  }

  /** The tokens that the tokenizer adds before a text. */
  private int[] before() {
    Encoding encoding;
    try {
      encoding = tokenizer.encode("a", true, false);
    } catch (RuntimeException e) {
      return new int[0]; // it has neither a token for this text nor one for unknown text
    }
    int first = 0;
    while (first < encoding.getIds().length && encoding.getSequenceIds()[first] < 0) {
      first++;
    }
    return ints(Arrays.copyOf(encoding.getIds(), first));
  }

  /**
   * A tokenised text.
   *
   * @param ids vocabulary numbers, with the special tokens
   * @param typeIds 0 for the first text, 1 for the second; all 0 if the model has one type
   * @param words for every token the number of its word, -1 for special tokens
   */
  public record Tokens(int[] ids, int[] typeIds, int[] words) implements Serializable {}

  /**
   * A tokenised row.
   *
   * @param length the number of its tokens
   * @param tokens all of them, what is left if the row is cut, or those of each of its windows
   */
  public record RowTokens(int length, List<Tokens> tokens) implements Serializable {}

  /** Tokenises a text, or a pair if {@code pair} is not null. */
  public Tokens encode(String text, String pair) {
    required(text, "text");

    return tokens(encoding(text, pair), text);
  }

  private Encoding encoding(String text, String pair) {
    return encoding(
        text,
        () ->
            pair == null
                ? tokenizer.encode(text, true, false)
                : tokenizer.encode(text, pair, true, false));
  }

  /**
   * A tokenised pair.
   *
   * @param ids vocabulary numbers, with the special tokens
   * @param typeIds 0 for the first text, 1 for the second; all 0 if the model has one type
   * @param first position of the second text's first token
   * @param begins for each token of the second text, the number of Unicode characters before it
   * @param ends for each token of the second text, the number of Unicode characters up to its end
   */
  public record Pair(int[] ids, int[] typeIds, int first, int[] begins, int[] ends) {}

  /**
   * Tokenises a pair in windows: each has the whole first text, and a part of the second.
   *
   * @param most tokens of a window
   * @param overlap tokens that a window has in common with the one before it, at most half of those
   *     that fit
   * @throws BadInputException if beside the first text nothing fits
   */
  public List<Pair> pairWindows(String text, String pair, int most, int overlap) {
    required(text, "text");
    required(pair, "pair");
    Encoding encoding = encoding(pair, () -> tokenizer.encode(text, pair, true, false));
    long[] sequences = encoding.getSequenceIds();
    List<int[]> windows = Truncation.windows(sequences, 1, 0, most, room -> overlap);
    if (windows.isEmpty()) {
      throw new BadDataException(
          "Beside a question of %d tokens nothing fits into %d; allow longer texts, or shorten it:"
              + " \"%.60s\"",
          Arrays.stream(sequences).filter(sequence -> sequence == 0).count(), most, text);
    }
    int[] ids = ints(encoding.getIds());
    int[] types = types(encoding);
    CharSpan[] spans = encoding.getCharTokenSpans();
    List<Pair> pairs = new ArrayList<>();
    for (int[] kept : windows) {
      int[] second = Arrays.stream(kept).filter(i -> sequences[i] == 1).toArray();
      int first = 0;
      while (first < kept.length && sequences[kept[first]] != 1) {
        first++;
      }
      pairs.add(
          new Pair(
              of(ids, kept),
              of(types, kept),
              first,
              Arrays.stream(second).map(i -> spans[i].getStart()).toArray(),
              Arrays.stream(second).map(i -> spans[i].getEnd()).toArray()));
    }
    return pairs;
  }

  /**
   * Tokenises rows; those that are longer than this tokenizer's longest text are treated as {@code
   * onLong} says, whatever the tokenizer itself does. A warning counts them.
   *
   * @return for every row its tokens, or those of each of its windows. In a window, a token within
   *     a word that began before it belongs to no word
   * @throws BadInputException if a row is refused, or, of a pair, beside the shorter text nothing
   *     fits
   */
  public List<List<Tokens>> encodeAll(List<Example> rows, Objective task, OnLong onLong) {
    return encodeAll(rows, task, onLong, 0);
  }

  /**
   * As {@link #encodeAll(List, Objective, OnLong)}.
   *
   * @param prefix tokens of a prompt, as {@link #promptLength} counts them, that begin every window
   */
  public List<List<Tokens>> encodeAll(
      List<Example> rows, Objective task, OnLong onLong, int prefix) {
    required(rows, "rows");
    required(task, "task");
    required(onLong, "onLong");

    return counted(rows.stream().map(row -> encode(row, task, onLong, prefix)).toList(), onLong);
  }

  /**
   * As {@link #encodeAll(List, Objective, OnLong)}, elsewhere.
   *
   * @param recipe of this tokenizer
   */
  public List<List<Tokens>> encodeAll(
      List<Example> rows,
      Objective task,
      OnLong onLong,
      RowTokenizer elsewhere,
      TokenizerRecipe recipe) {
    required(rows, "rows");
    required(task, "task");
    required(onLong, "onLong");
    required(elsewhere, "elsewhere");
    required(recipe, "recipe");

    return counted(elsewhere.encode(recipe, rows, task, onLong), onLong);
  }

  private List<List<Tokens>> counted(List<RowTokens> rows, OnLong onLong) {
    LongCount counted = new LongCount(longest, onLong);
    rows.forEach(row -> counted.add(row.length(), row.tokens().size()));
    counted.warn();
    return rows.stream().map(RowTokens::tokens).toList();
  }

  /** Tokens by which a row is longer than this tokenizer's longest text; 0 if it fits. */
  public int excess(Example row, Objective task) {
    required(row, "row");
    required(task, "task");

    return Math.max(0, encoding(row, task).getIds().length - longest);
  }

  /**
   * One row, as {@link #encodeAll(List, Objective, OnLong)}; nothing is counted.
   *
   * @throws BadInputException likewise
   */
  public RowTokens encode(Example row, Objective task, OnLong onLong) {
    required(row, "row");
    required(task, "task");
    required(onLong, "onLong");

    return encode(row, task, onLong, 0);
  }

  private RowTokens encode(Example row, Objective task, OnLong onLong, int prefix) {
    Encoding encoding = encoding(row, task);
    int[] ids = ints(encoding.getIds());
    int[] types = types(encoding);
    int[] words = ints(encoding.getWordIds());
    if (ids.length <= longest) {
      return new RowTokens(ids.length, List.of(new Tokens(ids, types, words)));
    }
    long[] sequences = encoding.getSequenceIds();
    List<int[]> kept =
        switch (onLong) {
          case REFUSE -> throw tooLong(ids.length, row.text());
          case CUT -> List.of(Truncation.kept(sequences, longest, use.cutsLeft()));
          case SPLIT -> windows(sequences, prefix, row);
        };
    int[] begins = onLong == OnLong.SPLIT ? beginnings(words) : words;
    return new RowTokens(
        ids.length,
        kept.stream()
            .map(some -> new Tokens(of(ids, some), of(types, some), words(words, begins, some)))
            .toList());
  }

  /** One row, which is counted. */
  List<Tokens> encode(Example row, Objective task, OnLong onLong, LongCount counted) {
    RowTokens tokens = encode(row, task, onLong, 0);
    counted.add(tokens.length(), tokens.tokens().size());
    return tokens.tokens();
  }

  private List<int[]> windows(long[] sequences, int prefix, Example row) {
    long second = Arrays.stream(sequences).filter(sequence -> sequence == 1).count();
    long first = Arrays.stream(sequences).filter(sequence -> sequence == 0).count();
    List<int[]> windows =
        Truncation.windows(sequences, second > first ? 1 : 0, prefix, longest, room -> room / 4);
    if (windows.isEmpty()) {
      throw new BadDataException(
          "Beside the shorter text of a pair, or a prompt, nothing fits into %d tokens; allow longer texts,"
              + " or shorten it: \"%.60s\"",
          longest, row.text());
    }
    return windows;
  }

  /**
   * A tokenised text or pair with the place of its tokens.
   *
   * @param ids vocabulary numbers, with the special tokens
   * @param typeIds as in {@link Tokens}
   * @param texts for every token 0 for the first text, 1 for the second, -1 for special tokens
   * @param begins for every token, the chars of its text before it; 0 for special tokens
   * @param ends likewise, the chars up to its end
   */
  public record Placed(int[] ids, int[] typeIds, int[] texts, int[] begins, int[] ends) {}

  /** Tokenises a text, or a pair if {@code pair} is not null, like {@link #encode}. */
  public Placed encodePlaced(String text, String pair) {
    Encoding encoding =
        encoding(
            text,
            () ->
                pair == null
                    ? tokenizer.encode(text, true, false)
                    : tokenizer.encode(text, pair, true, false));
    int[] kept = kept(encoding, text);
    int[] texts = new int[encoding.getIds().length];
    int[] begins = new int[texts.length];
    int[] ends = new int[texts.length];
    CharSpan[] spans = encoding.getCharTokenSpans();
    for (int i = 0; i < texts.length; i++) {
      texts[i] = -1;
      if (encoding.getSpecialTokenMask()[i] == 0 && spans[i] != null) {
        texts[i] = Math.toIntExact(encoding.getSequenceIds()[i]);
        String whole = texts[i] == 0 ? text : pair;
        int characters = whole.codePointCount(0, whole.length());
        int begin = Math.min(spans[i].getStart(), characters);
        int end = Math.min(Math.max(begin, spans[i].getEnd()), characters);
        begins[i] = whole.offsetByCodePoints(0, begin);
        ends[i] = whole.offsetByCodePoints(0, end);
      }
    }
    return new Placed(
        of(ints(encoding.getIds()), kept),
        of(types(encoding), kept),
        of(texts, kept),
        of(begins, kept),
        of(ends, kept));
  }

  /** Tokenises a row; for tagging, word by word. */
  public Tokens encode(Example row, Objective task) {
    required(row, "row");
    required(task, "task");

    return tokens(encoding(row, task), row.text());
  }

  private Encoding encoding(Example row, Objective task) {
    return task == Objectives.TOKEN
        ? wordsEncoding(Labels.words(row).toArray(String[]::new))
        : encoding(row.text(), row.pair());
  }

  /**
   * Tokenises a text that is already split into words. If the tokenizer recognises words by the
   * spaces before them, every word gets one; the first word gets one if {@code add_prefix_space}
   * says so.
   */
  public Tokens encodeWords(String[] words) {
    required(words, "words");

    return tokens(wordsEncoding(words), String.join(" ", words));
  }

  private Encoding wordsEncoding(String[] words) {
    String[] spaced = words.clone();
    for (int i = 1; use.spaced() && i < words.length; i++) {
      spaced[i] = words[i].startsWith(" ") ? words[i] : " " + words[i];
    }
    return encoding(String.join(" ", words), () -> tokenizer.encode(spaced, true, false));
  }

  /**
   * Tokenises a text, and cuts it.
   *
   * @param most tokens that are left, with special ones
   * @param counted counts it
   */
  Tokens encodeCut(String text, int most, LongCount counted) {
    Encoding encoding = encoding(text, (String) null);
    int count = encoding.getIds().length;
    counted.add(count, 1);
    int[] kept =
        count <= most
            ? IntStream.range(0, count).toArray()
            : Truncation.kept(encoding.getSequenceIds(), most, use.cutsLeft());
    return new Tokens(
        of(ints(encoding.getIds()), kept), of(types(encoding), kept), of(spaced(encoding), kept));
  }

  /**
   * For every token the number of its word. A token that begins with a space begins a word, also if
   * the tokenizer does not cut texts at spaces.
   */
  private static int[] spaced(Encoding encoding) {
    long[] words = encoding.getWordIds();
    String[] tokens = encoding.getTokens();
    int[] numbers = new int[words.length];
    int word = 0;
    for (int i = 0; i < words.length; i++) {
      boolean other = i == 0 || words[i] != words[i - 1];
      boolean begins = tokens[i].startsWith(METASPACE) || tokens[i].startsWith(BYTE_SPACE);
      word += other || begins ? 1 : 0;
      numbers[i] = words[i] < 0 ? -1 : word;
    }
    return numbers;
  }

  /** What the tokenizer is of, for messages. */
  String origin() {
    return use.origin();
  }

  /** The token in place of a hidden one; empty if the tokenizer has none. */
  public OptionalInt mask() {
    return use.maskId() < 0 ? OptionalInt.empty() : OptionalInt.of(use.maskId());
  }

  /** All special tokens. */
  Set<Integer> special() {
    return use.special();
  }

  /** All tokens but special ones. */
  int[] ordinary() {
    return use.ordinary();
  }

  /** The maximal number of tokens in a text or pair. */
  public int longest() {
    return longest;
  }

  /** Tokenises a piece of text of any length, without special tokens. */
  public int[] encodePiece(String text) {
    required(text, "text");

    return ints(encoding(text, () -> tokenizer.encode(text, false, false)).getIds());
  }

  /**
   * A tokenised text with the place of its tokens.
   *
   * @param begins for every token the Unicode characters before it
   * @param ends likewise, the characters up to its end
   */
  record Spans(int[] ids, int[] begins, int[] ends) {}

  /** Tokenises a whole text of any length, which has all special tokens that it needs. */
  Spans encodeSpans(String text) {
    Encoding encoding = encoding(text, () -> tokenizer.encode(text, false, false));
    CharSpan[] spans = encoding.getCharTokenSpans();
    int[] begins = new int[spans.length];
    int[] ends = new int[spans.length];
    for (int i = 0; i < spans.length; i++) {
      int before = i == 0 ? 0 : ends[i - 1];
      begins[i] = spans[i] == null ? before : spans[i].getStart();
      ends[i] = spans[i] == null ? before : spans[i].getEnd();
    }
    return new Spans(ints(encoding.getIds()), begins, ends);
  }

  /** Decodes tokens, special ones included. */
  public String written(int... ids) {
    required(ids, "ids");

    checkOpen();
    return decoder.decode(Arrays.stream(ids).asLongStream().toArray(), false);
  }

  /**
   * Tokenises a text of any length that is to be continued: the tokens that the tokenizer adds
   * before a text, if any, and those of the text.
   */
  public int[] encodePrompt(String text) {
    required(text, "text");

    Encoding encoding = encoding(text, () -> tokenizer.encode(text, false, false));
    int[] piece = ints(encoding.getIds());
    if (before.length > 0 && piece.length > 0 && piece[0] == before[before.length - 1]) {
      Warnings.warn(
          "The token '%s' begins a text twice: the tokenizer of %s adds it; leave it out of the text.",
          encoding.getTokens()[0], use.origin());
    }
    int[] ids = Arrays.copyOf(before, before.length + piece.length);
    System.arraycopy(piece, 0, ids, before.length, piece.length);
    return ids;
  }

  /** The tokens that the tokenizer adds before a text, for messages and caches. */
  String beginning() {
    return Arrays.toString(before);
  }

  /** Decodes tokens, without special ones. */
  public String decode(int... ids) {
    required(ids, "ids");

    checkOpen();
    for (int id : ids) {
      if (id < 0 || id >= use.words()) {
        throw BadSettingsException.of(
            "ids", "must be numbers of the vocabulary, 0 to %d, got %d.", use.words() - 1, id);
      }
    }
    return decoder.decode(Arrays.stream(ids).asLongStream().toArray(), true);
  }

  /** The beginning of the decoded text in quotes, which identifies a row in messages. */
  public String quoted(int... ids) {
    required(ids, "ids");

    String text = decode(ids).strip();
    return '"' + (text.length() > QUOTED ? text.substring(0, QUOTED) + "..." : text) + '"';
  }

  /** The token that begins a text, if it is known; the tokenizer does not necessarily add it. */
  public OptionalInt begin() {
    return use.begins().stream().mapToInt(Integer::intValue).findFirst();
  }

  /**
   * The known tokens that end a text: first those in the model's configuration and in its
   * generation configuration, then those with which models are known to end turns.
   */
  public Set<Integer> ends() {
    return Collections.unmodifiableSet(use.ends());
  }

  /**
   * The number of tokens at the beginning of a text that belong to a prompt, as counted by
   * sentence-transformers: those of the prompt with its special tokens, except the last one.
   */
  public int promptLength(String prompt) {
    required(prompt, "prompt");

    int[] words = encode(prompt, null).words();
    boolean special = words.length > 0 && words[words.length - 1] < 0;
    return special ? words.length - 1 : words.length;
  }

  private void checkOpen() {
    if (closed) {
      throw new BadInputException(
          "The tokenizer of %s is closed; open it, or its model, again.", use.origin());
    }
  }

  private Encoding encoding(String text, Supplier<Encoding> tokenise) {
    checkOpen();
    if (text.codePoints().anyMatch(c -> Character.getType(c) == Character.SURROGATE)) {
      throw new BadDataException(
          "The text \"%.60s\" has half a character (a surrogate without its other half, such as \\ud83d"
              + " in JSON), which is not Unicode; correct it.",
          text.strip());
    }
    Encoding encoding;
    try {
      encoding = tokenise.get();
    } catch (RuntimeException e) {
      throw new BadDataException(
          e,
          "The tokenizer of %s cannot tokenise the text \"%.60s\": %s; change the text or the tokenizer.",
          use.origin(),
          text.strip(),
          e.getMessage());
    }
    long[] ids = encoding.getIds();
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] >= use.words()) {
        throw new BadDataException(
            "The text \"%.60s\" has the token '%s', which is number %d, but the model %s has %d words;"
                + " use the model's own tokenizer, or a text without this token.",
            text.strip(), encoding.getTokens()[i], ids[i], use.origin(), use.words());
      }
    }
    return encoding;
  }

  private int[] types(Encoding encoding) {
    int[] types = ints(encoding.getTypeIds());
    if (use.types() == 0) {
      return new int[types.length];
    }
    for (int type : types) {
      if (type >= use.types()) {
        throw new BadFileException(
            "The tokenizer of %s gives a text the token type %d, but the model has %d types, from 0; use the model's own tokenizer.",
            use.origin(), type, use.types());
      }
    }
    return types;
  }

  private Tokens tokens(Encoding encoding, String text) {
    int[] kept = kept(encoding, text);
    return new Tokens(
        of(ints(encoding.getIds()), kept),
        of(types(encoding), kept),
        of(ints(encoding.getWordIds()), kept));
  }

  /** The places of the tokens that are left after cutting. */
  private int[] kept(Encoding encoding, String text) {
    int count = encoding.getIds().length;
    if (count <= longest) {
      return IntStream.range(0, count).toArray();
    }
    if (!cut) {
      throw tooLong(count, text);
    }
    return Truncation.kept(encoding.getSequenceIds(), longest, use.cutsLeft());
  }

  private BadDataException tooLong(int length, String text) {
    return new BadDataException(
        "A text of %d tokens is longer than the %d that fit; shorten it, or have long texts cut or split:"
            + " \"%.60s...\"",
        length, longest, text.strip());
  }

  /** The words, each at its first token only. */
  private static int[] beginnings(int[] words) {
    int[] begins = words.clone();
    for (int i = 1; i < words.length; i++) {
      begins[i] = words[i] == words[i - 1] ? -1 : words[i];
    }
    return begins;
  }

  /** Words in a window; tokens at its beginning whose word began before it have none. */
  private static int[] words(int[] words, int[] begins, int[] kept) {
    int[] some = of(words, kept);
    for (int i = 0; i < some.length && (some[i] < 0 || begins[kept[i]] < 0); i++) {
      some[i] = -1;
    }
    return some;
  }

  private static int[] of(int[] values, int[] places) {
    return Arrays.stream(places).map(place -> values[place]).toArray();
  }

  private static int[] ints(long[] values) {
    return Arrays.stream(values).mapToInt(Math::toIntExact).toArray();
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    tokenizer.close();
    decoder.close();
  }
}
