package org.tokentune.export;

import static org.tokentune.Arguments.required;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.ChatTemplates;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.datasets.TokenizerVocabulary;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.GenerationConfig;
import org.tokentune.formats.Gguf;
import org.tokentune.formats.GgufLayout;
import org.tokentune.formats.GgufTokens;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.TokenizerConfig;
import org.tokentune.formats.Vocabulary;
import org.tokentune.models.DecoderConfig;
import org.tokentune.models.EncoderConfig;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.objectives.Objectives;

/**
 * Writes models as GGUF files, for llama.cpp and what is built on it. Before the file of a decoder
 * gets its name it is read again: its model must be the same one, and its tokenizer must split
 * texts alike.
 */
public final class GgufExport {

  /** Its rows are added to those of tokens, which llama.cpp does in floats only. */
  private static final String POSITIONS = "position_embd.weight";

  /** Texts that tokenizers of different rules split differently. */
  private static final List<String> PROBES =
      List.of(
          "The quick brown fox jumped over 1234567890 lazy dogs, didn't it?",
          " Leading space, two  spaces, and   three;\ttabs\n\nand empty lines.  ",
          "for (int i = 0; i < n; ++i) { sum += a[i] * b[i]; } // x != y",
          "\u00dcber den Wolken: 3,14 \u20ac \u2013 \u00abna\u00efve\u00bb caf\u00e9 \u65e5\u672c\u8a9e\u306e\u6587 \ud83d\ude42 \u0420\u0443\u0441\u0441\u043a\u0438\u0439",
          "I'LL you'Ve THEY'RE we'd A1b2C3 foo_bar @user #tag 50% $9.99");

  private final ModelFiles files;
  private final TransformerModel model;
  private final Vocabulary vocabulary;
  private final GgufSettings settings;
  private final GgufContent content;

  private GgufExport(ModelFiles files, TransformerModel model, GgufType type) {
    this.files = files;
    this.model = model;
    vocabulary = TokenizerVocabulary.of(files);
    settings = GgufSettings.of(files, (DecoderConfig) model.config());
    content = new GgufContent(files, vocabulary, settings.layout().architecture(), type);
  }

  /**
   * Writes a model.
   *
   * @param file is replaced if it exists; if anything fails it stays as it is
   * @return lines that say what is in the file
   * @throws BadInputException if the model has something that a GGUF file cannot say, or the file
   *     cannot be written
   */
  public static List<String> model(ModelFiles files, GgufType type, Path file) {
    required(files, "files");
    required(type, "type");
    required(file, "file");

    if (ModelConfig.read(files.config(), files.name()) instanceof EncoderConfig encoder) {
      return GgufEncoder.write(files, encoder, type, file);
    }
    TransformerModel model = decoder(files);
    ParameterLoader.check(model, files.weights());
    GgufExport export = new GgufExport(files, model, type);
    export.collect();
    GgufContent.write(export.content.out, file, staged -> export.check(staged, file));
    return export.content.lines(file);
  }

  /** The model, with its head. */
  static TransformerModel decoder(ModelFiles files) {
    ModelConfig config = ModelConfig.read(files.config(), files.name()).withHeadOf(files.weights());
    if (!config.causal()) {
      throw new BadSettingsException(
          "%s is an encoder, and adapters are written for decoders only.", files.name());
    }
    return config.model(new Head(Objectives.CAUSAL_LM, config.vocabulary(), Pooling.FIRST));
  }

  private void collect() {
    settings.write(content);
    tokens();
    model.parameters().forEach(this::add);
    if (model.config().tied() && !settings.config().tied()) {
      TransformerModel untied = settings.config().model(model.head());
      String head = untied.headTable();
      long[] shape = untied.parameters().get(head);
      content.add(stored(head), shape, true, () -> values(model.wordTable(), shape));
    }
  }

  private void add(String name, long[] shape) {
    String stored = stored(name);
    Supplier<float[]> values = () -> values(name, shape);
    if (stored.equals(POSITIONS)) {
      content.addFloats(stored, shape, values);
    } else {
      boolean logits =
          model.isHead(name) || (settings.config().tied() && name.equals(model.wordTable()));
      content.add(stored, settings.layout().storedShape(name, shape), logits, values);
    }
  }

  private String stored(String parameter) {
    return settings
        .layout()
        .stored(parameter)
        .orElseThrow(
            () ->
                new BadSettingsException(
                    "%s has the parameter %s, for which a GGUF file of a %s has no name.",
                    files.name(), parameter, settings.layout().architecture()));
  }

  private float[] values(String name, long[] shape) {
    try (INDArray array = ParameterLoader.read(model, files.weights(), name)) {
      float[] floats = GgufContent.floats(array);
      return settings.layout().transposes(name)
          ? GgufLayout.transposed(floats, shape)
          : settings.stored(name, floats, shape[0], settings.factor(name));
    }
  }

  private void tokens() {
    content.addTokens(files, vocabulary, settings.config().vocabulary());
    List<Integer> ends = GenerationConfig.read(files.companions()).ends();
    ends.stream()
        .filter(id -> !id.equals(vocabulary.special().end()))
        .findFirst()
        .ifPresent(id -> GgufTokens.put("eot", id, content.out));
    GgufTokens.put("padding", padding(), content.out);
    ChatTemplates.of(files.companions())
        .forEach(
            (name, template) ->
                GgufTokens.putChatTemplate(
                    name.equals(ChatTemplates.DEFAULT) ? null : name, template, content.out));
  }

  private Integer padding() {
    String text =
        TokenizerConfig.read(files.companions(), files.config()).special().get("pad_token");
    int id = text == null ? -1 : vocabulary.tokens().indexOf(text);
    return id >= 0
        ? Integer.valueOf(id)
        : files
            .companions()
            .object(CompanionFiles.GENERATION_CONFIG)
            .indices("pad_token_id")
            .stream()
            .findFirst()
            .orElse(null);
  }

  /** Reads the file and compares the model and the tokenizer. */
  private void check(Path staged, Path file) {
    try (Gguf read = Gguf.open(staged)) {
      ModelFiles again =
          new ModelFiles(
              file.toString(), read.config(), read, read.vocabulary(), read.companions(), null);
      settings.requireSame(
          (DecoderConfig) ModelConfig.read(again.config(), file.toString()), files.name());
      compareTokens(again);
    } catch (BadFileException e) {
      throw new BadFileException(
          e,
          "%s would be a GGUF file that cannot be read: %s",
          files.name(),
          e.getMessage().replace(staged.toString(), file.toString()));
    }
  }

  private void compareTokens(ModelFiles again) {
    try (TextTokenizer own = TextTokenizer.open(files, Integer.MAX_VALUE, false);
        TextTokenizer other = TextTokenizer.open(again, Integer.MAX_VALUE, false)) {
      for (String probe : PROBES) {
        int[] wanted = own.encode(probe, null).ids();
        int[] found = other.encode(probe, null).ids();
        if (!Arrays.equals(wanted, found)) {
          throw new BadSettingsException(
              "%s cannot be a GGUF file: its tokenizer splits '%s' into the tokens %s, and one with the"
                  + " rules of llama.cpp into %s.",
              files.name(), probe.strip(), Arrays.toString(wanted), Arrays.toString(found));
        }
      }
    }
  }
}
