package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;
import org.tokentune.chat.ChatTemplate;
import org.tokentune.chat.ChatTemplateException;
import org.tokentune.chat.ChatTemplateSettings;
import org.tokentune.chat.RenderedChat;
import org.tokentune.files.Digest;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.TokenizerConfig;

/**
 * How a model reads conversations: its template and its tokenizer. No token is added to those that
 * the template writes.
 */
public final class ChatFormat {

  /** Which of the assistant's turns are learned. */
  public enum Learned {
    ALL,
    LAST
  }

  private final CompanionFiles files;
  private final String name;
  private final ChatTemplate template;
  private final String text;
  private final ChatTemplateSettings settings;
  private final TextTokenizer tokenizer;
  private final Map<String, String> special = new LinkedHashMap<>();

  /** Templates for conversations with and without tools, once they were needed. */
  private final Map<Boolean, ChatTemplate> byTools = new ConcurrentHashMap<>();

  private ChatFormat(
      CompanionFiles files,
      String name,
      String template,
      TokenizerConfig config,
      TextTokenizer tokenizer,
      ChatTemplateSettings settings) {
    this.files = files;
    this.name = name;
    this.settings = settings;
    this.tokenizer = tokenizer;
    this.template = template == null ? null : read(template, settings);
    text = template;
    special.putAll(config.special());
    tokenizer.begin().ifPresent(id -> special.computeIfAbsent("bos_token", key -> written(id)));
    tokenizer.ends().stream()
        .findFirst()
        .ifPresent(id -> special.computeIfAbsent("eos_token", key -> written(id)));
  }

  private String written(int id) {
    return tokenizer.written(id);
  }

  /**
   * The format of a model.
   *
   * @param config the tokenizer's settings, which name special tokens
   * @param name of the template, as {@link ChatTemplates#find} knows it; null for the model's own
   * @throws BadInputException if there is none, or it cannot be read
   */
  public static ChatFormat of(
      CompanionFiles files,
      TokenizerConfig config,
      TextTokenizer tokenizer,
      String name,
      ChatTemplateSettings settings) {
    required(files, "files");
    required(config, "config");
    required(tokenizer, "tokenizer");
    required(settings, "settings");

    boolean byTools =
        name == null && ChatTemplates.of(files).keySet().containsAll(Set.of("default", "tool_use"));
    String text = byTools ? null : ChatTemplates.find(files, name, name == null && hasTools(files));
    return new ChatFormat(files, name, text, config, tokenizer, settings);
  }

  /** Whether the only template is the one for tools. */
  private static boolean hasTools(CompanionFiles files) {
    return ChatTemplates.of(files).keySet().equals(Set.of("tool_use"));
  }

  /**
   * The format of a model with a template that is given as text.
   *
   * @throws BadInputException if it cannot be read
   */
  public static ChatFormat ofTemplate(
      String template,
      TokenizerConfig config,
      TextTokenizer tokenizer,
      ChatTemplateSettings settings) {
    required(template, "template");
    required(config, "config");
    required(tokenizer, "tokenizer");
    required(settings, "settings");

    return new ChatFormat(CompanionFiles.NONE, null, template, config, tokenizer, settings);
  }

  private static ChatTemplate read(String template, ChatTemplateSettings settings) {
    try {
      return ChatTemplate.of(template, settings);
    } catch (ChatTemplateException e) {
      throw new BadDataException(
          e,
          "The chat template cannot be used: line %d: %s; choose another with --template.",
          e.line(),
          e.getMessage());
    }
  }

  /** The template for a conversation: with tools it may be another one. */
  private ChatTemplate template(Conversation conversation) {
    return template == null
        ? byTools.computeIfAbsent(
            conversation.variables().get("tools") != null,
            tools -> read(ChatTemplates.find(files, name, tools), settings))
        : template;
  }

  /** Tells this format from others of the same tokenizer's file, at the present day. */
  String identity() {
    Digest digest = new Digest();
    texts().forEach(digest::add);
    special.forEach((token, text) -> digest.add(token).add(text));
    digest.add(tokenizer.ends().toString());
    return digest.hex() + (readsClock() ? ", " + LocalDate.now(settings.clock()) : "");
  }

  /** Whether a template may write the present time. */
  boolean readsClock() {
    return texts().stream().anyMatch(one -> one.contains("strftime_now"));
  }

  private List<String> texts() {
    return text == null
        ? List.of(ChatTemplates.find(files, name, false), ChatTemplates.find(files, name, true))
        : List.of(text);
  }

  /**
   * Renders a conversation.
   *
   * @param generationPrompt whether the text ends where an answer begins
   * @throws BadInputException if the template refuses it
   */
  public RenderedChat render(Conversation conversation, boolean generationPrompt) {
    required(conversation, "conversation");

    try {
      RenderedChat chat = rendered(conversation, generationPrompt);
      ToolArguments.check(conversation, chat.text());
      return chat;
    } catch (ChatTemplateException e) {
      throw new BadDataException(
          e,
          "%s: the chat template refuses this conversation (line %d of the template): %s",
          conversation.position(),
          e.line(),
          e.getMessage());
    }
  }

  private RenderedChat rendered(Conversation conversation, boolean generationPrompt) {
    Map<String, Object> variables = new LinkedHashMap<>(special);
    variables.putAll(conversation.variables());
    return template(conversation).render(conversation.messages(), generationPrompt, variables);
  }

  /** The tokens of a conversation that the model is to continue with an answer. */
  public int[] prompt(Conversation conversation) {
    return tokenizer.encodeSpans(render(conversation, true).text()).ids();
  }

  /** The tokens of a conversation, none of which is told apart. */
  public int[] ids(Conversation conversation) {
    return tokenizer.encodeSpans(render(conversation, false).text()).ids();
  }

  /**
   * The tokens of a conversation, with those of the assistant's turns learned. If the template
   * marks them, the marks decide. Otherwise a turn is what its text adds to that of the messages
   * before it with the generation prompt; space behind a token that ends a text is left out.
   *
   * @throws BadInputException if no turn is the assistant's, or the template changes the text of
   *     earlier messages when there are later ones, so that turns cannot be told apart
   */
  public ChatTokens tokens(Conversation conversation, Learned which) {
    required(conversation, "conversation");
    required(which, "which");

    int last = conversation.messages().size() - 1;
    while (last >= 0 && !conversation.isAssistant(last)) {
      last--;
    }
    if (last < 0) {
      throw new BadDataException(
          "%s has no message of the assistant, so there is nothing to learn; leave it out.",
          conversation.position());
    }
    RenderedChat chat = render(conversation, false);
    boolean marks = template(conversation).marksGenerated();
    List<RenderedChat.Span> spans =
        marks
            ? marked(conversation, chat, which, last)
            : added(conversation, chat.text(), which, last);
    TextTokenizer.Spans tokens = tokenizer.encodeSpans(chat.text());
    boolean[] learned = new boolean[tokens.ids().length];
    for (RenderedChat.Span span : spans) {
      learn(tokens, chat.text(), span, !marks, learned);
    }
    return new ChatTokens(tokens.ids(), learned);
  }

  private void learn(
      TextTokenizer.Spans tokens,
      String text,
      RenderedChat.Span span,
      boolean cut,
      boolean[] learned) {
    int end = -1;
    int last = -1;
    for (int i = 0; i < learned.length; i++) {
      if (tokens.ends()[i] > span.start()
          && tokens.begins()[i] < span.end()
          && tokens.ends()[i] > tokens.begins()[i]) {
        learned[i] = true;
        last = i;
        end = tokenizer.ends().contains(tokens.ids()[i]) ? i : end;
      }
    }
    if (last >= 0 && end < 0) {
      Warnings.warn(
          "Some answers end in none of the tokens that end a text for this model: it will not learn to"
              + " stop. Choose a template that writes one.");
    }
    if (cut && end >= 0 && end < last) {
      int[] characters = text.codePoints().toArray();
      int from = tokens.begins()[end + 1];
      String rest = new String(characters, from, tokens.ends()[last] - from);
      for (int i = end + 1; i <= last && rest.isBlank(); i++) {
        learned[i] = false;
      }
    }
  }

  private List<RenderedChat.Span> marked(
      Conversation conversation, RenderedChat chat, Learned which, int last) {
    List<RenderedChat.Span> spans = chat.generated();
    if (spans.isEmpty()) {
      throw new BadDataException(
          "%s: the template marks nothing of this conversation as the assistant's.",
          conversation.position());
    }
    if (which == Learned.ALL) {
      return spans;
    }
    int from = 0;
    if (last > 0) {
      String before = rendered(conversation.first(last), true).text();
      if (chat.text().startsWith(before)) {
        from = before.codePointCount(0, before.length());
      }
    }
    int begin = from;
    List<RenderedChat.Span> late = spans.stream().filter(span -> span.end() > begin).toList();
    return from == 0 || late.isEmpty() ? spans.subList(spans.size() - 1, spans.size()) : late;
  }

  /** What each of the assistant's turns adds to the text of the messages before it. */
  private List<RenderedChat.Span> added(
      Conversation conversation, String text, Learned which, int last) {
    List<RenderedChat.Span> spans = new ArrayList<>();
    for (int i = which == Learned.LAST ? last : 0; i <= last; i++) {
      if (conversation.isAssistant(i)) {
        int start = i == 0 ? 0 : prefix(conversation, text, i, true);
        int end =
            i == conversation.messages().size() - 1
                ? text.codePointCount(0, text.length())
                : prefix(conversation, text, i + 1, false);
        if (end < start) {
          throw new BadDataException(
              "%s: the template's text of message %d is no part of that of the whole conversation;"
                  + " use a template that marks the assistant's turns with generation blocks.",
              conversation.position(), i + 1);
        }
        spans.add(new RenderedChat.Span(start, end));
      }
    }
    return spans;
  }

  private int prefix(
      Conversation conversation, String text, int messages, boolean generationPrompt) {
    String part;
    try {
      part = rendered(conversation.first(messages), generationPrompt).text();
    } catch (ChatTemplateException e) {
      throw notExtending(conversation, messages, "it refuses them alone (" + e.getMessage() + ")");
    }
    if (!text.startsWith(part)) {
      int same = 0;
      while (same < Math.min(part.length(), text.length())
          && part.charAt(same) == text.charAt(same)) {
        same++;
      }
      throw notExtending(
          conversation,
          messages,
          String.format(
              Locale.ROOT,
              "alone they have \"%s\" where the whole has \"%s\"",
              shown(part, same),
              shown(text, same)));
    }
    return part.codePointCount(0, part.length());
  }

  private static String shown(String text, int from) {
    int start = Math.max(0, from - 10);
    return text.substring(start, Math.min(text.length(), from + 20)).replace("\n", "\\n");
  }

  private static BadInputException notExtending(
      Conversation conversation, int messages, String reason) {
    return new BadDataException(
        "%s: the assistant's turns cannot be told apart: the template writes the first %d messages in"
            + " another way when more follow: %s; use a template that marks the assistant's turns with"
            + " generation blocks, or learn the last turn only.",
        conversation.position(), messages, reason);
  }

  /**
   * The rows of conversations for a causal language model. Rows are cut to the longest allowed, and
   * those of which nothing learned is left are left out; a warning says how many they are.
   *
   * @throws BadInputException if all are left out
   */
  public List<TokenBatches.Row> rows(List<Conversation> conversations, Learned which, int longest) {
    required(conversations, "conversations");
    required(which, "which");

    List<TokenBatches.Row> rows = new ArrayList<>();
    int cut = 0;
    for (Conversation conversation : conversations) {
      ChatTokens whole = tokens(conversation, which);
      ChatTokens tokens = whole.cut(longest);
      if (tokens.count() > 0) {
        rows.add(tokens.row());
        cut += tokens.ids().length < whole.ids().length ? 1 : 0;
      }
    }
    if (cut > 0) {
      Warnings.warn(
          "%,d of %,d conversations are longer than %,d tokens, and cut.",
          cut, conversations.size(), longest);
    }
    if (rows.size() < conversations.size()) {
      String message =
          PackedChats.leftOut(conversations.size() - rows.size(), conversations.size(), longest);
      if (rows.isEmpty()) {
        throw new BadDataException("%s; allow longer rows.", message);
      }
      Warnings.warn("%s.", message);
    }
    return rows;
  }

  /** The text of tokens, with {@code [[} and {@code ]]} around those that are learned. */
  public String shown(ChatTokens tokens) {
    required(tokens, "tokens");

    StringBuilder text = new StringBuilder();
    boolean inside = false;
    int begun = 0;
    for (int i = 0; i <= tokens.ids().length; i++) {
      boolean now = i < tokens.ids().length && tokens.learned()[i];
      if (now != inside || i == tokens.ids().length) {
        text.append(written(tokens.ids(), begun, i)).append(now == inside ? "" : now ? "[[" : "]]");
        begun = i;
        inside = now;
      }
    }
    return text.toString();
  }

  private String written(int[] ids, int from, int to) {
    return from == to ? "" : tokenizer.written(java.util.Arrays.copyOfRange(ids, from, to));
  }
}
