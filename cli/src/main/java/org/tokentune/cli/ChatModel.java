package org.tokentune.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.tokentune.BadFileException;
import org.tokentune.BadSettingsException;
import org.tokentune.chat.ChatTemplateSettings;
import org.tokentune.datasets.ChatFormat;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.TokenizerConfig;

/** What rendering needs of a model: its tokenizer and its chat template, but not its weights. */
record ChatModel(TextTokenizer tokenizer, ChatFormat format) implements AutoCloseable {

  private static final long MOST_BYTES = 1 << 20;

  static ChatModel open(String model, String template, ChatTemplateSettings settings) {
    Path path = Models.path(model);
    boolean alone =
        path != null
            && Files.isRegularFile(path.resolve(ModelFolder.TOKENIZER))
            && !ModelFolder.holdsModel(path);
    if (alone) {
      CompanionFiles companions = CompanionFiles.in(path);
      TextTokenizer tokenizer = TextTokenizer.alone(bytes(path), companions, path.toString());
      return of(tokenizer, companions, JsonNodeFactory.instance.objectNode(), template, settings);
    }
    try (ModelFiles files = Models.open(model)) {
      TextTokenizer tokenizer = TextTokenizer.open(files, Integer.MAX_VALUE, false);
      return of(tokenizer, files.companions(), files.config(), template, settings);
    }
  }

  private static ChatModel of(
      TextTokenizer tokenizer,
      CompanionFiles companions,
      JsonNode config,
      String template,
      ChatTemplateSettings settings) {
    boolean complete = false;
    try {
      ChatModel opened =
          new ChatModel(tokenizer, format(companions, config, tokenizer, template, settings));
      complete = true;
      return opened;
    } finally {
      if (!complete) {
        tokenizer.close();
      }
    }
  }

  private static byte[] bytes(Path folder) {
    try {
      return Files.readAllBytes(folder.resolve(ModelFolder.TOKENIZER));
    } catch (IOException e) {
      throw new BadFileException(
          e, "%s cannot be read: %s.", folder.resolve(ModelFolder.TOKENIZER), e.getMessage());
    }
  }

  /**
   * The format of a model.
   *
   * @param template a name, or a file; null for the model's own
   */
  static ChatFormat format(
      CompanionFiles companions,
      JsonNode config,
      TextTokenizer tokenizer,
      String template,
      ChatTemplateSettings settings) {
    TokenizerConfig tokens = TokenizerConfig.read(companions, config);
    if (template != null && (template.endsWith(".jinja") || template.contains("/"))) {
      return ChatFormat.ofTemplate(text(Path.of(template)), tokens, tokenizer, settings);
    }
    return ChatFormat.of(companions, tokens, tokenizer, template, settings);
  }

  private static String text(Path file) {
    try {
      if (Files.size(file) > MOST_BYTES) {
        throw new BadFileException("%s is too large for a chat template; name another.", file);
      }
      return Files.readString(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read as text; check the path.", file);
    }
  }

  /** What {@code --loss-on} says. */
  static ChatFormat.Learned learned(String value) {
    return switch (value.toLowerCase(Locale.ROOT)) {
      case "all" -> ChatFormat.Learned.ALL;
      case "last" -> ChatFormat.Learned.LAST;
      default -> throw new BadSettingsException("--loss-on must be all or last, got %s.", value);
    };
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
