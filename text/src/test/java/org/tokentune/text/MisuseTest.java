package org.tokentune.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.evaluation.classification.Evaluation;
import org.tokentune.BadInputException;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.datasets.DataSplit;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.Labels;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.datasets.TokenBatches;
import org.tokentune.files.Checkpoints;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.generate.GenerationSettings;
import org.tokentune.models.Pooling;
import org.tokentune.models.WeightStorage;
import org.tokentune.objectives.Metric;
import org.tokentune.objectives.Objectives;
import org.tokentune.testing.Misuses;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.RunSettings;

/** What comes out of calls of models of text that make no sense. */
class MisuseTest {

  private static final Path GOLDEN = Path.of("../tokentune-samediff/src/test/resources/golden");
  private static final List<Example> ROWS =
      List.of(
          new Example("a good cat", "good"),
          new Example("a bad dog", "bad"),
          new Example("the good bird", "good"));

  private final Misuses misuses = new Misuses(BadInputException.class);

  @TempDir private Path folder;
  private Path base;

  @BeforeEach
  void makeFolder() throws IOException {
    base = model("bert");
  }

  private Path model(String name) throws IOException {
    Path model = Files.createDirectory(folder.resolve(name));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve(name).resolve(file), model.resolve(file));
    }
    Files.copy(
        Path.of("../datasets/src/test/resources/tokenizer.json"), model.resolve("tokenizer.json"));
    return model;
  }

  private static TextModel task(ModelFiles files, Integer maxLength, Double dropout) {
    return TextModel.forTask(
        files,
        Labels.of(Objectives.CLASSIFY, ROWS),
        Pooling.FIRST,
        maxLength,
        dropout,
        WeightStorage.FLOAT32,
        1);
  }

  @Test
  void classifiers() throws IOException {
    DataSplit data = new DataSplit(ROWS, ROWS, ROWS);
    TuningSettings some = TuningSettings.defaults().withEpochs(1).withBatchSize(2);
    Path file = Files.writeString(folder.resolve("file"), "no folder");
    LoraConfig query = LoraConfig.on("query");
    try (ModelFiles files = ModelFolder.open(base)) {
      TextModel model = TextModel.forClasses(files, ROWS);
      misuses
          .refuses("TextModel.open(null)", "files", () -> TextModel.open(null))
          .refuses("TextModel.open(files, null)", "adapters", () -> TextModel.open(files, null))
          .refuses("TextModel.open(files, a file)", "file", () -> TextModel.open(files, file))
          .refuses(
              "TextModel.forClasses(null, ..)", "files", () -> TextModel.forClasses(null, ROWS))
          .refuses(
              "TextModel.forClasses(.., null)", "rows", () -> TextModel.forClasses(files, null))
          .refuses(
              "TextModel.forClasses(.., [])",
              "no rows",
              () -> TextModel.forClasses(files, List.of()))
          .refuses("TextModel.forTask(.., maxLength -1)", "maxLength", () -> task(files, -1, null))
          .refuses(
              "TextModel.forTask(.., maxLength 5000)", "maxLength", () -> task(files, 5000, null))
          .refuses(
              "TextModel.forTask(.., dropout NaN)", "dropout", () -> task(files, null, Double.NaN))
          .refuses("TextModel.predict(null)", "texts", () -> model.predict(null))
          .refuses(
              "TextModel.predict([null])",
              "texts",
              () -> model.predict(Collections.singletonList(null)))
          .refuses("TextModel.setLongTexts(null)", "longTexts", () -> model.setLongTexts(null))
          .refuses(
              "TextModel.setLongTexts(maxLength 5000)",
              "maxLength",
              () -> model.setLongTexts(LongTexts.cut(5000)))
          .refuses(
              "TextModel.predictRows([null])",
              "examples",
              () -> model.predictRows(Arrays.asList((Example) null)))
          .refuses("TextModel.evaluate([])", "rows", () -> model.evaluate(List.of()))
          .refuses(
              "TextModel.evaluate(unlabelled)",
              "label",
              () -> model.evaluate(List.of(new Example("a cat", null))))
          .refuses(
              "TextModel.evaluate(another label)",
              "neutral",
              () -> model.evaluate(List.of(new Example("a cat", "neutral"))))
          .refuses(
              "TextModel.evaluate(.., (Evaluation) null)",
              "evaluations",
              () -> model.evaluate(ROWS, (Evaluation) null))
          .refuses("TextModel.fineTune(null, ..)", "data", () -> model.fineTune(null, some))
          .refuses("TextModel.fineTune(.., null)", "settings", () -> model.fineTune(data, null))
          .refuses(
              "TextModel.fineTune(.., listener null)",
              "listener",
              () -> model.fineTune(data, some, null))
          .refuses(
              "TextModel.fineTune(no training rows)",
              "training",
              () -> model.fineTune(new DataSplit(List.of(), ROWS, List.of()), some))
          .refuses(
              "TextModel.fineTune(patience without validation rows)",
              "patience",
              () ->
                  model.fineTune(
                      new DataSplit(ROWS, List.of(), List.of()),
                      some.withRun(RunSettings.defaults().withPatience(2))))
          .refuses(
              "TextModel.fineTune(metric of another task)",
              "metrics",
              () ->
                  model.fineTune(
                      data,
                      some.withRun(RunSettings.defaults().withMetrics(List.of(Metric.SPEARMAN)))))
          .refuses(
              "TextModel.saveAdapter without adapters", "adapters", () -> model.saveAdapter(folder))
          .refuses(
              "TextModel.savedAdapterBytes without adapters", "adapters", model::savedAdapterBytes)
          .refuses("TextModel.save(null)", "folder", () -> model.save(null))
          .refuses("TextModel.save(a file)", "file", () -> model.save(file))
          .refuses("TextModel.addAdapter(null)", "config", () -> model.addAdapter(null, 1))
          .refuses(
              "TextModel.addAdapter(rank 4000)",
              "rank",
              () -> model.addAdapter(query.withRank(4000), 1));
      model.addAdapter(query, 1);
      misuses.refuses(
          "TextModel.addAdapter twice", "adapters already", () -> model.addAdapter(query, 1));
      model.close();
      model.close();
      misuses
          .refuses("TextModel.predict after close()", "closed", () -> model.predict(List.of("a")))
          .refuses("TextModel.predict([]) after close()", "closed", () -> model.predict(List.of()))
          .refuses("TextModel.evaluate after close()", "closed", () -> model.evaluate(ROWS))
          .refuses("TextModel.fineTune after close()", "closed", () -> model.fineTune(data, some))
          .refuses("TextModel.save after close()", "closed", () -> model.save(folder.resolve("x")))
          .refuses(
              "TextModel.addAdapter after close()", "closed", () -> model.addAdapter(query, 1));
    }
    ModelFiles closed = ModelFolder.open(base);
    closed.close();
    misuses.refuses(
        "TextModel.forClasses(files after close())",
        "closed",
        () -> TextModel.forClasses(closed, ROWS));
    misuses.check();
  }

  @Test
  void settings() {
    TuningSettings some = TuningSettings.defaults();
    misuses
        .refuses("TuningSettings.withTokens(null)", "tokens", () -> some.withTokens(null))
        .refuses("TuningSettings.withTokens(\"a lot\")", "a lot", () -> some.withTokens("a lot"))
        .refuses("TuningSettings.withMinTokens(-1)", "-1", () -> some.withMinTokens(-1))
        .refuses("TuningSettings.withTrainable(null)", "trainable", () -> some.withTrainable(null))
        .refuses("TuningSettings.withBatchSize(0)", "batchSize", () -> some.withBatchSize(0))
        .refuses(
            "TuningSettings.withHyperparameters(null)",
            "hyperparameters",
            () -> some.withHyperparameters(null))
        .refuses("TuningSettings.withRun(null)", "run", () -> some.withRun(null))
        .check();
  }

  @Test
  void headsAndCheckpoints() throws IOException {
    Path checkpoints = folder.resolve("checkpoints");
    TuningSettings saving =
        TuningSettings.defaults()
            .withEpochs(2)
            .withBatchSize(2)
            .withRun(RunSettings.defaults().withCheckpoints(1, new Checkpoints(checkpoints, 5)));
    Path file = Files.writeString(folder.resolve("file"), "no checkpoint");
    tune(saving, ROWS);
    Path first;
    try (Stream<Path> all = Files.list(checkpoints)) {
      first = all.filter(Files::isDirectory).sorted().findFirst().orElseThrow();
    }
    TuningSettings resumed = saving.withRun(RunSettings.defaults().withResume(first));
    try (ModelFiles headless = ModelFolder.open(model("bert-mlm"))) {
      misuses.refuses("TextModel.open(no head)", "classifier", () -> TextModel.open(headless));
    }
    misuses
        .refuses(
            "fineTune resumed with another learning rate",
            "learning rate",
            () -> tune(resumed.withLearningRate(0.5), ROWS))
        .refuses(
            "fineTune resumed with other tokens",
            "tokens",
            () -> tune(resumed.withTokens("all"), ROWS))
        .refuses(
            "fineTune resumed with other rows",
            "training data",
            () -> tune(resumed, List.of(ROWS.get(1), ROWS.get(0), ROWS.get(2))))
        .refuses(
            "fineTune resumed from nowhere",
            "nowhere",
            () ->
                tune(
                    saving.withRun(RunSettings.defaults().withResume(folder.resolve("nowhere"))),
                    ROWS))
        .refuses(
            "fineTune resumed from a file",
            "file",
            () -> tune(saving.withRun(RunSettings.defaults().withResume(file)), ROWS))
        .refuses(
            "fineTune with checkpoints in a file",
            "file",
            () ->
                tune(
                    saving.withRun(
                        RunSettings.defaults().withCheckpoints(1, new Checkpoints(file, 1))),
                    ROWS))
        .check();
  }

  private void tune(TuningSettings settings, List<Example> rows) {
    try (ModelFiles files = ModelFolder.open(base);
        TextModel model = TextModel.forClasses(files, rows)) {
      model.fineTune(new DataSplit(rows, rows, rows), settings);
    }
  }

  @Test
  void decodersAndEncoders() throws IOException {
    GenerationSettings greedy = GenerationSettings.greedy(4, Set.of());
    FineTuningListener silent = new FineTuningListener() {};
    TokenBatches.Row row = TokenBatches.Row.ofText(new int[] {1, 2, 3}, 0);
    try (ModelFiles files = ModelFolder.open(model("llama"));
        ModelFiles encoderFiles = ModelFolder.open(base)) {
      LanguageModel decoder = LanguageModel.open(files, null);
      SentenceEncoder encoder = SentenceEncoder.open(encoderFiles, null);
      misuses
          .refuses("LanguageModel.open(null, ..)", "files", () -> LanguageModel.open(null, null))
          .refuses(
              "LanguageModel.open(encoder)",
              "encoder",
              () -> LanguageModel.open(encoderFiles, null))
          .refuses(
              "LanguageModel.open(.., dropout 1)", "dropout", () -> LanguageModel.open(files, 1.0))
          .refuses(
              "LanguageModel.generate(null, ..)",
              "prompt",
              () -> decoder.generate((String) null, greedy, t -> {}))
          .refuses(
              "LanguageModel.generate(.., settings null, ..)",
              "settings",
              () -> decoder.generate("a", null, t -> {}))
          .refuses(
              "LanguageModel.generate(.., listener null)",
              "listener",
              () -> decoder.generate("a", greedy, null))
          .refuses(
              "LanguageModel.generate(a longer prompt than the model takes)",
              "prompt",
              () -> decoder.generate("cat ".repeat(500), greedy, t -> {}))
          .refuses("LanguageModel.evaluate(null)", "rows", () -> decoder.evaluate(null))
          .refuses("LanguageModel.evaluate([])", "rows", () -> decoder.evaluate(List.of()))
          .refuses(
              "LanguageModel.evaluate(ids beyond the vocabulary)",
              "token 999999",
              () -> decoder.evaluate(List.of(TokenBatches.Row.ofText(new int[] {1, 999999}, 0))))
          .refuses(
              "LanguageModel.fineTune([], ..)",
              "training",
              () -> decoder.fineTune(List.of(), List.of(row), TuningSettings.defaults(), silent))
          .refuses("LanguageModel.openAdapter(null)", "folder", () -> decoder.openAdapter(null))
          .refuses("LanguageModel.withAdapter(null)", "folder", () -> decoder.withAdapter(null))
          .refuses("LanguageModel.batch(0)", "tokens", () -> decoder.batch(0))
          .refuses("LanguageModel.promptIds(null)", "prompt", () -> decoder.promptIds(null))
          .refuses(
              "SentenceEncoder.embedCounted(null, null)",
              "texts",
              () -> encoder.embedCounted(null, null))
          .refuses(
              "LanguageModel.openAdapter(nowhere)",
              "nowhere",
              () -> decoder.openAdapter(folder.resolve("nowhere")))
          .refuses(
              "LanguageModel.stream(nowhere, ..)",
              "nowhere",
              () -> decoder.stream(folder.resolve("nowhere"), 8))
          .refuses(
              "LanguageModel.stream(.., length -1)",
              "Blocks of -1",
              () -> decoder.stream(base.resolve("config.json"), -1))
          .refuses(
              "LanguageModel.saveAdapter without adapters",
              "adapters",
              () -> decoder.saveAdapter(folder))
          .refuses(
              "MultipleChoice.score(.., [], ..)",
              "shots",
              () -> MultipleChoice.score(decoder, List.of(), 0, 1))
          .refuses(
              "SentenceEncoder.open(null, ..)", "files", () -> SentenceEncoder.open(null, null))
          .refuses(
              "SentenceEncoder.open(.., maxLength 0)",
              "maxLength",
              () -> SentenceEncoder.open(encoderFiles, 0))
          .refuses("SentenceEncoder.embed(null)", "texts", () -> encoder.embed(null))
          .refuses(
              "SentenceEncoder.embed([null])",
              "texts",
              () -> encoder.embed(Collections.singletonList(null)))
          .refuses("new AnswerModel(null)", "model", () -> new AnswerModel(null))
          .refuses("MaskFiller.open(null)", "files", () -> MaskFiller.open(null))
          .refuses("MaskFiller.open(decoder)", "decoder", () -> MaskFiller.open(files));
      decoder.addAdapter(LoraConfig.on("q_proj"), 1);
      misuses.refuses(
          "LanguageModel.addAdapter twice",
          "adapters already",
          () -> decoder.addAdapter(LoraConfig.on("q_proj"), 1));
      TextTokenizer tokenizer = decoder.tokenizer();
      decoder.close();
      encoder.close();
      misuses
          .refuses(
              "LanguageModel.generate after close()",
              "closed",
              () -> decoder.generate("a", greedy, t -> {}))
          .refuses(
              "LanguageModel.evaluate after close()",
              "closed",
              () -> decoder.evaluate(List.of(row)))
          .refuses(
              "SentenceEncoder.embed after close()", "closed", () -> encoder.embed(List.of("a")))
          .refuses(
              "TextTokenizer.encode after close()", "closed", () -> tokenizer.encode("a", null))
          .refuses("TextTokenizer.decode after close()", "closed", () -> tokenizer.decode(1));
    }
    misuses.check();
  }
}
