package org.tokentune.server;

import java.util.List;
import org.tokentune.BadSettingsException;
import org.tokentune.Warnings;
import org.tokentune.datasets.ChatFormat;
import org.tokentune.formats.GenerationConfig;
import org.tokentune.formats.ModelFiles;
import org.tokentune.text.LanguageModel;

/** A decoder that continues texts. */
final class ServedGenerator implements ServedModel {

  private final String name;
  private final LanguageModel model;
  private final GenerationConfig defaults;
  private final ChatFormat chats;
  private final String noChats;
  private final int cacheTokens;
  private final GenerationQueue queue;

  /**
   * @param template of chats, by its name; null: the model's own, which it need not have
   */
  ServedGenerator(
      String name,
      ModelFiles files,
      LanguageModel model,
      String template,
      ServerSettings settings) {
    this.name = name;
    this.model = model;
    cacheTokens = settings.cacheTokens();
    defaults = GenerationConfig.read(files.companions());
    if (defaults.beams() != null && defaults.beams() > 1) {
      Warnings.warn(
          "%s asks for beam search (num_beams %d in generation_config.json), which is not served: its"
              + " texts are generated without.",
          files.name(), defaults.beams());
    }
    ChatFormat format = null;
    String reason = null;
    try {
      format = model.chats(template);
    } catch (BadSettingsException e) {
      if (template != null) {
        throw e;
      }
      reason = e.getMessage();
    }
    chats = format;
    noChats = reason;
    queue = new GenerationQueue(name, model, settings.batchSize(), cacheTokens);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String kind() {
    return "a language model";
  }

  @Override
  public List<String> paths() {
    return chats == null
        ? List.of(Paths.COMPLETIONS)
        : List.of(Paths.CHAT_COMPLETIONS, Paths.COMPLETIONS);
  }

  LanguageModel model() {
    return model;
  }

  /** What {@code generation_config.json} says. */
  GenerationConfig defaults() {
    return defaults;
  }

  /**
   * How it reads conversations.
   *
   * @throws ApiException if it has no chat template
   */
  ChatFormat chats() {
    if (chats == null) {
      throw ApiException.bad("messages", "%s", noChats);
    }
    return chats;
  }

  GenerationQueue queue() {
    return queue;
  }

  /** Tokens of all its texts together whose keys and values are held. */
  int cacheTokens() {
    return cacheTokens;
  }

  @Override
  public boolean works() {
    return queue.works();
  }

  @Override
  public void close() {
    try {
      queue.close();
    } finally {
      model.close();
    }
  }
}
