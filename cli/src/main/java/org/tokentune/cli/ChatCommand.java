package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.tokentune.BadDataException;
import org.tokentune.BadFileException;
import org.tokentune.BadSettingsException;
import org.tokentune.Printable;
import org.tokentune.chat.ChatTemplateSettings;
import org.tokentune.chat.RenderedChat;
import org.tokentune.datasets.ChatFormat;
import org.tokentune.datasets.ChatTokens;
import org.tokentune.datasets.Conversation;
import org.tokentune.datasets.Conversations;
import org.tokentune.formats.GenerationConfig;
import org.tokentune.formats.ModelFiles;
import org.tokentune.generate.Generation;
import org.tokentune.generate.GenerationSettings;
import org.tokentune.objectives.Objectives;
import org.tokentune.text.LanguageModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Talks to a model, and shows what its chat template makes of conversations. */
@Command(
    name = "chat",
    sortOptions = false,
    description =
        "Talks to a decoder in the terminal (a line is a message, an empty one or /exit ends), or shows"
            + " what its chat template makes of conversations.",
    footer = {
      "",
      "Examples:",
      "  tokentune chat --model SmolLM2-135M-Instruct",
      "  tokentune chat --model SmolLM2-135M-Instruct --render chats.jsonl"
    },
    mixinStandardHelpOptions = true)
final class ChatCommand implements Callable<Integer> {

  @Option(
      names = "--model",
      paramLabel = "PATH",
      description = {
        "A Hugging Face folder, a .gguf file, or a folder with llama2.c's .bin; for --render a folder",
        "with tokenizer.json and its settings is enough."
      })
  private String model;

  @Mixin private AppliedAdapters adapters;
  @Mixin private StoredWeights weights;

  @Option(
      names = "--template",
      paramLabel = "NAME|FILE",
      description = {
        "A named template of the model, a .jinja file, or chatml, llama3, alpaca or plain; default: the",
        "model's own."
      })
  private String template;

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      description = "The first message, of the system.")
  private String system;

  @Option(
      names = "--render",
      paramLabel = "FILE",
      description = {
        "Print text, token ids and learned tokens for each conversation of FILE, or of other data as",
        "train takes it: rows with messages, conversations, prompt and completion, or instruction and",
        "output."
      })
  private String render;

  @Option(
      names = "--loss-on",
      paramLabel = "all|last",
      defaultValue = "all",
      description =
          "Of --render: which of the assistant's turns are learned; default ${DEFAULT-VALUE}.")
  private String lossOn;

  @Option(
      names = "--cases",
      paramLabel = "FILE",
      description = {
        "Render a JSON list of templates (t) with variables (ctx), without a model, and write a list of",
        "texts (out) or errors (err) to the file of --json."
      })
  private Path cases;

  @Option(
      names = "--now",
      paramLabel = "TIME",
      description = "What templates take for the present time, such as 2026-01-02T03:04:05.")
  private String now;

  /** Finds the rows of --render. */
  private final DataOptions data = new DataOptions();

  @Option(
      names = "--query",
      paramLabel = "SQL",
      description =
          "Of --render: the query that gives the rows, where the data are a database (a JDBC address).")
  void query(String sql) {
    data.query(sql);
  }

  @Mixin private GenerationOptions generation;
  @Mixin private JsonOption json;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    json.check();
    if (cases != null) {
      return cases();
    }
    if (model == null) {
      throw new BadSettingsException("--model must name a decoder, or --cases a file.");
    }
    if (render != null) {
      return render();
    }
    return talk();
  }

  private ChatTemplateSettings settings() {
    ChatTemplateSettings settings = ChatTemplateSettings.defaults();
    if (now == null) {
      return settings;
    }
    try {
      ZoneId zone = settings.clock().getZone();
      return settings.withClock(
          Clock.fixed(LocalDateTime.parse(now).atZone(zone).toInstant(), zone));
    } catch (DateTimeParseException e) {
      throw new BadSettingsException(
          e, "--now must be a time such as 2026-01-02T03:04:05, got %s.", now);
    }
  }

  private int cases() {
    if (!json.isGiven()) {
      throw new BadSettingsException("--cases writes its results to a file; name it with --json.");
    }
    ArrayNode results = JsonOption.array();
    int rendered = ChatCases.render(cases, settings(), results);
    json.write(results);
    PrintWriter out = spec.commandLine().getOut();
    out.printf(Locale.ROOT, "%,d rendered, %,d refused%n", rendered, results.size() - rendered);
    out.flush();
    return 0;
  }

  private int render() {
    ChatFormat.Learned learned = ChatModel.learned(lossOn);
    List<Conversation> conversations = Conversations.read(data.path(render));
    ObjectNode result = JsonOption.object();
    result.put("model", model);
    ArrayNode rows = result.putArray("rows");
    PrintWriter out = spec.commandLine().getOut();
    try (ChatModel chat = ChatModel.open(model, template, settings())) {
      for (Conversation conversation : conversations) {
        ObjectNode row = rows.addObject();
        out.println(conversation.position() + ":");
        if (conversation.messages().stream()
            .anyMatch(each -> "assistant".equals(each.get("role")))) {
          ChatTokens tokens = chat.format().tokens(conversation, learned);
          put(row, chat.format().render(conversation, false), tokens.ids());
          ArrayNode marks = row.putArray("learned");
          for (boolean each : tokens.learned()) {
            marks.add(each ? 1 : 0);
          }
          out.println(Printable.lines(chat.format().shown(tokens)));
        } else {
          RenderedChat text = chat.format().render(conversation, true);
          put(row, text, chat.format().prompt(conversation));
          out.println(Printable.lines(text.text()));
        }
        out.println(row.get("ids"));
        out.flush();
      }
    }
    json.write(result);
    return 0;
  }

  private static void put(ObjectNode row, RenderedChat chat, int[] ids) {
    ChatCases.put(row, "text", chat);
    ArrayNode numbers = row.putArray("ids");
    Arrays.stream(ids).forEach(numbers::add);
  }

  private int talk() {
    Models.checkSupports(model, Objectives.CAUSAL_LM);
    try (ModelFiles files = Models.open(model);
        LanguageModel decoder = LanguageModel.open(files, null, weights.storage())) {
      adapters.putOn(decoder);
      GenerationSettings settings =
          generation.settings(
              GenerationConfig.read(files.companions()), decoder.tokenizer().ends());
      ChatFormat format =
          ChatModel.format(
              files.companions(), files.config(), decoder.tokenizer(), template, settings());
      List<Map<String, Object>> messages = new ArrayList<>();
      if (system != null) {
        messages.add(Map.of("role", "system", "content", system));
      }
      talk(decoder, format, settings, messages);
      ObjectNode result = JsonOption.object();
      result.put("model", model);
      ArrayNode said = result.putArray("messages");
      messages.forEach(
          message ->
              said.addObject()
                  .put("role", (String) message.get("role"))
                  .put("content", (String) message.get("content")));
      json.write(result);
    }
    return 0;
  }

  private void talk(
      LanguageModel decoder,
      ChatFormat format,
      GenerationSettings settings,
      List<Map<String, Object>> messages) {
    PrintWriter out = spec.commandLine().getOut();
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (int turn = 1; ; turn++) {
      out.print("> ");
      out.flush();
      String line = line(in);
      if (line == null || line.isBlank() || line.strip().equals("/exit")) {
        out.println();
        out.flush();
        return;
      }
      messages.add(Map.of("role", "user", "content", line));
      int[] prompt = format.prompt(new Conversation("message " + turn, messages, Map.of()));
      if (prompt.length >= decoder.maxLength()) {
        throw new BadDataException(
            "The conversation has %,d tokens, and the model takes %,d; begin a new one.",
            prompt.length, decoder.maxLength());
      }
      StringBuilder text = new StringBuilder();
      Generation made =
          decoder.generateFrom(
              prompt,
              settings,
              piece -> {
                text.append(piece);
                out.print(Printable.lines(piece));
                out.flush();
              });
      out.println();
      if (made.end() == Generation.End.CONTEXT) {
        out.printf(
            Locale.ROOT,
            "(The conversation is as long as the model's %,d tokens.)%n",
            decoder.maxLength());
      }
      messages.add(Map.of("role", "assistant", "content", text.toString()));
    }
  }

  private static String line(BufferedReader in) {
    try {
      return in.readLine();
    } catch (IOException e) {
      throw new BadFileException(e, "Standard input cannot be read: %s.", e.getMessage());
    }
  }
}
