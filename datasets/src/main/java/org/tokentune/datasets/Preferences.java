package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Supplier;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;

/**
 * Preferences, in any format of {@link RowSource}: {@code prompt}, {@code chosen} and {@code
 * rejected}, as texts or as lists of messages. Without a prompt, it is what both answers begin
 * with. Chats may have {@code tools} and more, as {@link Conversations} reads them.
 */
public final class Preferences {

  private static final String WANTED =
      "a preference has prompt (which may be missing), chosen and rejected, texts or lists of messages";

  private Preferences() {}

  /**
   * Reads a whole file.
   *
   * @throws BadInputException if it is missing or empty, or a row is not a preference
   */
  public static List<Preference> read(Path file) {
    required(file, "file");

    return RowSource.read(file, "preferences", new Reader());
  }

  /** Makes preferences of rows. */
  static final class Reader implements RowReader<Preference> {

    @Override
    public void header(List<String> columns, String file) {
      if (!columns.containsAll(List.of("chosen", "rejected"))) {
        throw notOne(columns, file);
      }
    }

    private static BadInputException notOne(List<String> columns, String origin) {
      return new BadDataException(
          "%s has no preferences; %s. Its fields are %s.", origin, WANTED, Labels.shown(columns));
    }

    @Override
    public void row(Row row, List<Preference> preferences) {
      Object chosen = row.value("chosen");
      Object rejected = row.value("rejected");
      if (chosen == null || rejected == null) {
        throw notOne(row.columns(), row.position());
      }
      if (chosen.equals(rejected)) {
        throw new BadDataException(
            "%s: chosen and rejected are equal, so neither is preferred; remove the row.",
            row.position());
      }
      if (chosen instanceof String better && rejected instanceof String worse) {
        preferences.add(texts(row, better, worse));
      } else if (chosen instanceof List && rejected instanceof List) {
        preferences.add(chat(row));
      } else {
        throw new BadDataException(
            "%s: chosen is %s, rejected %s; %s.",
            row.position(), Row.type(chosen), Row.type(rejected), WANTED);
      }
    }

    private static Preference texts(Row row, String chosen, String rejected) {
      Object prompt = row.value("prompt");
      if (prompt instanceof String text) {
        return new Preference.Texts(row.position(), text, chosen, rejected);
      }
      if (prompt != null) {
        throw new BadDataException(
            "%s: prompt is %s, but the answers are texts; %s.",
            row.position(), Row.type(prompt), WANTED);
      }
      int same = 0;
      while (same < Math.min(chosen.length(), rejected.length())
          && chosen.charAt(same) == rejected.charAt(same)) {
        same++;
      }
      if (same > 0 && chosen.charAt(same - 1) == ' ') {
        same--; // answers begin with their space
      }
      return new Preference.Texts(
          row.position(),
          chosen.substring(0, same),
          chosen.substring(same),
          rejected.substring(same));
    }

    private static Preference chat(Row row) {
      List<Map<String, Object>> prompt = new ArrayList<>();
      List<Map<String, Object>> chosen = new ArrayList<>();
      List<Map<String, Object>> rejected = new ArrayList<>();
      if (row.value("prompt") != null) {
        Conversations.Reader.addSide(row, "prompt", "user", prompt);
      }
      Conversations.Reader.addSide(row, "chosen", "assistant", chosen);
      Conversations.Reader.addSide(row, "rejected", "assistant", rejected);
      if (row.value("prompt") == null) {
        int same = 0;
        while (same < Math.min(chosen.size(), rejected.size())
            && chosen.get(same).equals(rejected.get(same))) {
          same++;
        }
        prompt.addAll(chosen.subList(0, same));
        chosen.subList(0, same).clear();
        rejected.subList(0, same).clear();
      }
      if (prompt.isEmpty()) {
        throw new BadDataException(
            "%s has no message before the answers; give a prompt.", row.position());
      }
      check(row, "chosen", chosen);
      check(row, "rejected", rejected);
      Map<String, Object> variables = Conversations.Reader.variables(row);
      return new Preference.Chat(
          new Conversation(row.position(), prompt, variables),
          new Conversation(row.position(), joined(prompt, chosen), variables),
          new Conversation(row.position(), joined(prompt, rejected), variables));
    }

    private static void check(Row row, String side, List<Map<String, Object>> answer) {
      if (answer.stream().noneMatch(message -> "assistant".equals(message.get("role")))) {
        throw new BadDataException(
            "%s: %s has no message of the assistant after the prompt, so there is nothing to learn;"
                + " remove the row.",
            row.position(), side);
      }
    }

    private static List<Map<String, Object>> joined(
        List<Map<String, Object>> prompt, List<Map<String, Object>> answer) {
      List<Map<String, Object>> all = new ArrayList<>(prompt);
      all.addAll(answer);
      return all;
    }
  }

  /**
   * Tokenises preferences as TRL 1.16 does: an answer begins where the tokens of the prompt and
   * those of prompt and answer diverge, in either answer; plain answers end with the token that
   * ends a text. Rows are cut to the longest allowed; those whose prompt fills it are left out, and
   * a warning says how many they are.
   *
   * @param chats how conversations are read, asked for only if there are some
   * @throws BadInputException if all are left out
   */
  public static List<PreferenceTokens> rows(
      List<Preference> preferences,
      TextTokenizer tokenizer,
      Supplier<ChatFormat> chats,
      int longest) {
    required(preferences, "preferences");
    required(tokenizer, "tokenizer");
    required(chats, "chats");

    boolean any = preferences.stream().anyMatch(Preference.Chat.class::isInstance);
    ChatFormat format = any ? chats.get() : null;
    List<PreferenceTokens> rows = new ArrayList<>();
    for (Preference preference : preferences) {
      Ids ids =
          preference instanceof Preference.Chat chat
              ? new Ids(
                  format.prompt(chat.prompt()),
                  format.ids(chat.chosen()),
                  format.ids(chat.rejected()))
              : texts((Preference.Texts) preference, tokenizer);
      int prompt = ids.prompt(tokenizer);
      if (prompt < longest) {
        rows.add(PreferenceTokens.of(cut(ids.chosen, longest), cut(ids.rejected, longest), prompt));
      }
    }
    if (rows.size() < preferences.size()) {
      String message =
          String.format(
              Locale.ROOT,
              "%,d of %,d preferences are left out: their prompts fill %,d tokens",
              preferences.size() - rows.size(),
              preferences.size(),
              longest);
      if (rows.isEmpty()) {
        throw new BadDataException("%s; allow longer rows.", message);
      }
      Warnings.warn("%s.", message);
    }
    return rows;
  }

  private static int[] cut(int[] ids, int longest) {
    return ids.length <= longest ? ids : Arrays.copyOf(ids, longest);
  }

  private static Ids texts(Preference.Texts texts, TextTokenizer tokenizer) {
    return new Ids(
        tokenizer.encodePrompt(texts.prompt()),
        ended(tokenizer.encodePrompt(texts.prompt() + texts.chosen()), tokenizer),
        ended(tokenizer.encodePrompt(texts.prompt() + texts.rejected()), tokenizer));
  }

  private static int[] ended(int[] ids, TextTokenizer tokenizer) {
    OptionalInt end = tokenizer.ends().stream().mapToInt(Integer::intValue).findFirst();
    if (end.isEmpty() || (ids.length > 0 && ids[ids.length - 1] == end.getAsInt())) {
      return ids;
    }
    int[] longer = Arrays.copyOf(ids, ids.length + 1);
    longer[ids.length] = end.getAsInt();
    return longer;
  }

  private record Ids(int[] prompt, int[] chosen, int[] rejected) {

    /** The tokens that the prompt alone, and with either answer, begins with. */
    int prompt(TextTokenizer tokenizer) {
      int same = Math.min(same(prompt, chosen), same(prompt, rejected));
      if (same < prompt.length) {
        Warnings.warn(
            "Some prompts end in other tokens when an answer follows, such as %s: the answers begin"
                + " where they differ. End prompts where a token ends, such as before a space.",
            tokenizer.quoted(Arrays.copyOfRange(prompt, same, prompt.length)));
      }
      return same;
    }

    private static int same(int[] one, int[] other) {
      int at = Arrays.mismatch(one, other);
      return at < 0 ? one.length : at;
    }
  }
}
