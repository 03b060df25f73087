package org.tokentune;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.AdapterFolder;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.files.Checkpoints;
import org.tokentune.formats.Gguf;
import org.tokentune.formats.Llama2c;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.SafeTensors;
import org.tokentune.formats.WeightSource;
import org.tokentune.generate.CachedDecoder;
import org.tokentune.generate.GenerationSettings;
import org.tokentune.generate.Generator;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.Pooling;
import org.tokentune.nn.ActivationFunction;
import org.tokentune.objectives.LossSettings;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.Dropout;
import org.tokentune.ops.Gelu;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.TokenGather;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.ActivationPrecision;
import org.tokentune.select.AllTokens;
import org.tokentune.select.RandomTokens;
import org.tokentune.select.TokenAmount;
import org.tokentune.testing.Misuses;
import org.tokentune.train.Evaluator;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.InferenceEngine;
import org.tokentune.train.MemorySettings;
import org.tokentune.train.OptimizerSettings;
import org.tokentune.train.RunSettings;
import org.tokentune.train.Schedule;
import org.tokentune.train.StepMemoryPlanner;
import org.tokentune.train.Trainable;
import org.tokentune.train.Trainer;

/** What comes out of calls that make no sense, without a tokenizer. */
class MisuseTest {

  private final Misuses misuses = new Misuses(BadInputException.class);

  @Test
  void settings() {
    Hyperparameters some = Hyperparameters.defaults();
    OptimizerSettings adamW = OptimizerSettings.adamW(0);
    RunSettings run = RunSettings.defaults();
    Map<String, Double> noFactor = Collections.singletonMap("layer.0", null);
    misuses
        .refuses("Hyperparameters.withEpochs(0)", "epochs", () -> some.withEpochs(0))
        .refuses("Hyperparameters.withSteps(-1)", "steps", () -> some.withSteps(-1))
        .refuses(
            "Hyperparameters.withAccumulation(0)", "accumulation", () -> some.withAccumulation(0))
        .refuses(
            "Hyperparameters.withLearningRate(NaN)",
            "learningRate",
            () -> some.withLearningRate(Double.NaN))
        .refuses(
            "Hyperparameters.withLearningRate(Infinity)",
            "learningRate",
            () -> some.withLearningRate(Double.POSITIVE_INFINITY))
        .refuses("Hyperparameters.withClip(NaN)", "clip", () -> some.withClip(Double.NaN))
        .refuses("Hyperparameters.withClip(0)", "clip", () -> some.withClip(0))
        .refuses("Hyperparameters.withClipBy(null)", "clipBy", () -> some.withClipBy(null))
        .refuses("Hyperparameters.withOptimizer(null)", "optimizer", () -> some.withOptimizer(null))
        .refuses("Hyperparameters.withSchedule(null)", "schedule", () -> some.withSchedule(null))
        .refuses("Hyperparameters.withMemory(null)", "memory", () -> some.withMemory(null))
        .refuses("Hyperparameters.withLoss(null)", "loss", () -> some.withLoss(null))
        .refuses(
            "OptimizerSettings.adamW(NaN)",
            "weightDecay",
            () -> OptimizerSettings.adamW(Double.NaN))
        .refuses("OptimizerSettings.withKind(null)", "kind", () -> adamW.withKind(null))
        .refuses("OptimizerSettings.withMomentum(0.9)", "momentum", () -> adamW.withMomentum(0.9))
        .refuses("OptimizerSettings.withBetas(1, 0)", "betas", () -> adamW.withBetas(1, 0))
        .refuses("OptimizerSettings.withLayerDecay(0)", "layerDecay", () -> adamW.withLayerDecay(0))
        .refuses(
            "OptimizerSettings.withRateFactors({layer.0=NaN})",
            "rateFactors",
            () -> adamW.withRateFactors(Map.of("layer.0", Double.NaN)))
        .refuses(
            "OptimizerSettings.withRateFactors({layer.0=null})",
            "rateFactors",
            () -> adamW.withRateFactors(noFactor))
        .refuses("new Schedule(null, 0.1)", "decay", () -> new Schedule(null, 0.1))
        .refuses("Schedule.of(null)", "values", () -> Schedule.of(null))
        .refuses("Schedule.linear(-1)", "warmup", () -> Schedule.linear(-1))
        .refuses("Schedule.linear(NaN)", "warmup", () -> Schedule.linear(Double.NaN))
        .refuses(
            "RunSettings.withEvaluateEvery(-1)", "evaluateEvery", () -> run.withEvaluateEvery(-1))
        .refuses("RunSettings.withPatience(-1)", "patience", () -> run.withPatience(-1))
        .refuses(
            "RunSettings.withMinImprovement(NaN)",
            "minImprovement",
            () -> run.withMinImprovement(Double.NaN))
        .refuses(
            "RunSettings.withMetrics([null])",
            "metrics",
            () -> run.withMetrics(Collections.singletonList(null)))
        .refuses("RunSettings.withOnNan(null)", "onNan", () -> run.withOnNan(null))
        .refuses(
            "RunSettings.withCheckpoints(10, null)",
            "checkpoints",
            () -> run.withCheckpoints(10, null))
        .refuses("MemorySettings.of(null)", "checkpointing", () -> MemorySettings.of(null))
        .refuses(
            "new MemorySettings(.., -1)",
            "budget",
            () ->
                new MemorySettings(
                    ActivationCheckpointing.ELEMENTWISE, ActivationPrecision.FLOAT32, -1))
        .refuses(
            "LossSettings.withClassWeights([NaN])",
            "classWeights",
            () -> LossSettings.plain().withClassWeights(List.of(Double.NaN)))
        .refuses(
            "LossSettings.withClassWeights([1, null])",
            "classWeights",
            () -> LossSettings.plain().withClassWeights(Arrays.asList(1.0, null)))
        .refuses(
            "LossSettings.withLabelSmoothing(1)",
            "labelSmoothing",
            () -> LossSettings.plain().withLabelSmoothing(1))
        .refuses("RandomTokens.parse(null)", "tokens", () -> RandomTokens.parse(null, 8, true))
        .refuses("RandomTokens.parse(\"0\")", "0", () -> RandomTokens.parse("0", 8, true))
        .refuses("RandomTokens.parse(\"150%\")", "150%", () -> RandomTokens.parse("150%", 8, true))
        .refuses("RandomTokens.parse(\"25%\", -1)", "-1", () -> RandomTokens.parse("25%", -1, true))
        .refuses("TokenAmount.count(-5)", "count", () -> TokenAmount.count(-5))
        .refuses("TokenAmount.share(NaN)", "share", () -> TokenAmount.share(Double.NaN, 8))
        .refuses("new RandomTokens(null, true)", "amount", () -> new RandomTokens(null, true))
        .refuses(
            "AllTokens.select(null, ..)",
            "lengths",
            () -> new AllTokens().select(null, 8, null, 1, 0, 0))
        .refuses(
            "RandomTokens.select([], ..)",
            "lengths",
            () -> new RandomTokens(TokenAmount.count(2), true).select(new int[0], 8, null, 1, 0, 0))
        .refuses(
            "RandomTokens.select([9], 8, ..)",
            "paddedLength",
            () ->
                new RandomTokens(TokenAmount.count(9), true)
                    .select(new int[] {9}, 8, null, 1, 0, 0))
        .check();
  }

  @Test
  void adapters() {
    GoldenModel bert = GoldenModel.of("bert");
    LoraConfig query = LoraConfig.on("query");
    misuses
        .refuses("LoraConfig.on()", "targets", () -> LoraConfig.on())
        .refuses("LoraConfig.on(null)", "targets", () -> LoraConfig.on((String) null))
        .refuses("LoraConfig.withRank(0)", "rank", () -> query.withRank(0))
        .refuses("LoraConfig.withAlpha(NaN)", "alpha", () -> query.withAlpha(Double.NaN))
        .refuses("LoraConfig.withDropout(1)", "dropout", () -> query.withDropout(1))
        .refuses("LoraConfig.withBias(null)", "bias", () -> query.withBias(null))
        .refuses("LoraConfig.withTrained(null)", "modules", () -> query.withTrained(null))
        .refuses("LoraConfig.parse(null)", "text", () -> LoraConfig.parse(null))
        .refuses("LoraConfig.parse(\"r=x\")", "'x'", () -> LoraConfig.parse("r=x"))
        .refuses("LoraConfig.parse(\"q=3\")", "q=3", () -> LoraConfig.parse("q=3"))
        .refuses(
            "Adapter.fresh(.., rank 4000)",
            "rank",
            () -> Adapter.fresh(bert.model(), bert.parameters(), query.withRank(4000), 1))
        .refuses(
            "Adapter.fresh(.., target \"attn\")",
            "attn",
            () -> Adapter.fresh(bert.model(), bert.parameters(), LoraConfig.on("attn"), 1))
        .refuses(
            "Adapter.fresh(null, ..)",
            "base",
            () -> Adapter.fresh(null, bert.parameters(), query, 1))
        .refuses(
            "Adapter.merge() twice",
            "merged",
            () -> {
              Adapter adapter = Adapter.fresh(bert.model(), bert.parameters(), query, 1);
              adapter.merge();
              adapter.merge();
            })
        .refuses("AdapterFolder.open(null)", "folder", () -> AdapterFolder.open(null))
        .refuses(
            "AdapterFolder.open(nowhere)", "nowhere", () -> AdapterFolder.open(Path.of("nowhere")))
        .check();
  }

  @Test
  void ops() {
    SameDiff sd = SameDiff.create();
    SDVariable table = sd.constant("table", Nd4j.rand(DataType.FLOAT, 5, 3));
    SDVariable ids = sd.constant("ids", Nd4j.createFromArray(0, 1));
    SDVariable fractions = sd.constant("fractions", Nd4j.createFromArray(0.5f, 1));
    misuses
        .refuses("TokenGather.rows(null, ids)", "table", () -> TokenGather.rows(null, ids))
        .refuses("TokenGather.rows(table, null)", "ids", () -> TokenGather.rows(table, null))
        .refuses(
            "TokenGather.rows(table, [0.5, 1])", "ids", () -> TokenGather.rows(table, fractions))
        .refuses("TokenGather.tokens(x, null)", "positions", () -> TokenGather.tokens(table, null))
        .refuses("Gelu.exact(null)", "x", () -> Gelu.exact(null))
        .refuses("Dropout.apply(.., rate 1)", "rate", () -> Dropout.apply(table, 1, ids, ids))
        .refuses(
            "Dropout.apply(.., rate NaN)", "rate", () -> Dropout.apply(table, Double.NaN, ids, ids))
        .refuses("ActivationFunction.read(\"mish\")", "mish", () -> ActivationFunction.read("mish"))
        .check();
  }

  @Test
  void models() {
    GoldenModel bert = GoldenModel.of("bert");
    GoldenModel llama = GoldenModel.of("llama");
    Map<String, INDArray> batch = bert.batch(new AllTokens());
    batch.remove(ModelGraph.LABELS);
    InferenceEngine engine = logits(bert);
    InferenceEngine closed = logits(bert);
    closed.close();
    misuses
        .refuses("new Head(null, ..)", "task", () -> new Head(null, 2, Pooling.FIRST))
        .refuses(
            "new Head(.., 0, ..)", "outputs", () -> new Head(Objectives.CLASSIFY, 0, Pooling.FIRST))
        .refuses("ModelConfig.read(null, ..)", "config", () -> ModelConfig.read(null, "x"))
        .refuses("Parameters.get(\"no\")", "no", () -> bert.parameters().get("no"))
        .refuses("Trainable.parse(\"no\", model)", "no", () -> Trainable.parse("no", bert.model()))
        .refuses(
            "Trainable.parse(null, model)", "choice", () -> Trainable.parse(null, bert.model()))
        .refuses(
            "new InferenceEngine(.., [\"no\"])",
            "no",
            () -> new InferenceEngine(bert.model(), bert.parameters(), List.of("no")))
        .refuses("InferenceEngine.run(null, ..)", "inputs", () -> engine.run(null, row -> ""))
        .refuses("InferenceEngine.run({}, ..)", "input_ids", () -> engine.run(Map.of(), row -> ""))
        .refuses(
            "InferenceEngine.run(ids of rank 1)",
            "input_ids",
            () ->
                engine.run(with(batch, ModelGraph.INPUT_IDS, Nd4j.createFromArray(1, 2)), r -> ""))
        .refuses(
            "InferenceEngine.run(without a mask)",
            "attention_mask",
            () -> engine.run(without(batch, ModelGraph.ATTENTION_MASK), row -> ""))
        .refuses(
            "InferenceEngine.run(a mask of another shape)",
            "attention_mask",
            () ->
                engine.run(
                    with(batch, ModelGraph.ATTENTION_MASK, Nd4j.ones(DataType.INT32, 3, 4)),
                    row -> ""))
        .refuses(
            "InferenceEngine.run(a mask of 2)",
            "attention_mask",
            () ->
                engine.run(
                    with(batch, ModelGraph.ATTENTION_MASK, Nd4j.ones(DataType.INT32, 3, 13).mul(2)),
                    row -> ""))
        .refuses(
            "InferenceEngine.run(fractional ids)",
            "input_ids",
            () ->
                engine.run(
                    with(batch, ModelGraph.INPUT_IDS, Nd4j.ones(DataType.FLOAT, 3, 13).mul(0.5)),
                    row -> ""))
        .refuses(
            "InferenceEngine.run(ids beyond the vocabulary)",
            "token 1000000",
            () ->
                engine.run(
                    with(
                        batch, ModelGraph.INPUT_IDS, Nd4j.ones(DataType.INT32, 3, 13).mul(1000000)),
                    row -> ""))
        .refuses(
            "InferenceEngine.run(INT64 ids beyond 32 bits)",
            "token 4294967298",
            () ->
                engine.run(
                    with(
                        batch,
                        ModelGraph.INPUT_IDS,
                        Nd4j.ones(DataType.INT64, 3, 13).mul((1L << 32) + 2)),
                    row -> ""))
        .refuses("InferenceEngine.run after close()", "closed", () -> closed.run(batch, row -> ""))
        .refuses(
            "StepMemoryPlanner.selected(.., length -1)",
            "length",
            () -> StepMemoryPlanner.selected(bert.model(), new AllTokens(), -1))
        .refuses(
            "new Trainer(.., listener null)",
            "listener",
            () ->
                new Trainer(
                    bert.model(),
                    bert.parameters(),
                    name -> true,
                    new AllTokens(),
                    Hyperparameters.defaults(),
                    RunSettings.defaults(),
                    null))
        .refuses(
            "new Evaluator(model, null, ..)",
            "parameters",
            () -> new Evaluator(bert.model(), null, row -> ""));
    engine.close();
    generation(llama, bert);
    misuses.check();
  }

  private void generation(GoldenModel llama, GoldenModel bert) {
    Generator generator = new Generator(llama.model(), llama.parameters());
    CachedDecoder decoder =
        new CachedDecoder(llama.model(), llama.parameters(), KernelMode.preferred());
    GenerationSettings greedy = GenerationSettings.greedy(4, Set.of());
    misuses
        .refuses(
            "GenerationSettings.withTemperature(NaN)",
            "temperature",
            () -> greedy.withTemperature(Double.NaN))
        .refuses("GenerationSettings.withTopK(-1)", "topK", () -> greedy.withTopK(-1))
        .refuses("GenerationSettings.withTopP(0)", "topP", () -> greedy.withTopP(0))
        .refuses("GenerationSettings.withMaxTokens(0)", "maxTokens", () -> greedy.withMaxTokens(0))
        .refuses("GenerationSettings.withEnds(null)", "ends", () -> greedy.withEnds(null))
        .refuses(
            "new Generator(encoder)",
            "decoder",
            () -> new Generator(bert.model(), bert.parameters()))
        .refuses(
            "Generator.generate([], ..)",
            "prompt",
            () -> generator.generate(new int[0], greedy, id -> {}))
        .refuses(
            "Generator.generate([-1], ..)",
            "-1",
            () -> generator.generate(new int[] {-1}, greedy, id -> {}))
        .refuses(
            "Generator.generate(ids beyond the vocabulary)",
            "999999",
            () -> generator.generate(new int[] {999999}, greedy, id -> {}))
        .refuses(
            "Generator.generate(.., listener null)",
            "listener",
            () -> generator.generate(new int[] {1}, greedy, null))
        .refuses("CachedDecoder.next before begin", "begin", () -> decoder.next(new int[] {1}, 0))
        .refuses("CachedDecoder.begin(-1)", "tokens", () -> decoder.begin(-1));
    decoder.begin(8);
    misuses
        .refuses("CachedDecoder.next([], 0)", "tokens", () -> decoder.next(new int[0], 0))
        .refuses("CachedDecoder.next([1], -1)", "position", () -> decoder.next(new int[] {1}, -1))
        .refuses(
            "CachedDecoder.next(ids beyond the vocabulary)",
            "999999",
            () -> decoder.next(new int[] {999999}, 0));
    decoder.close();
    generator.close();
    misuses
        .refuses("CachedDecoder.begin after close()", "closed", () -> decoder.begin(8))
        .refuses(
            "Generator.generate after close()",
            "closed",
            () -> generator.generate(new int[] {1}, greedy, id -> {}));
  }

  private static InferenceEngine logits(GoldenModel model) {
    return new InferenceEngine(model.model(), model.parameters(), List.of(ModelGraph.LOGITS));
  }

  private static Map<String, INDArray> with(
      Map<String, INDArray> batch, String name, INDArray other) {
    Map<String, INDArray> changed = new HashMap<>(batch);
    changed.put(name, other);
    return changed;
  }

  private static Map<String, INDArray> without(Map<String, INDArray> batch, String name) {
    Map<String, INDArray> changed = new HashMap<>(batch);
    changed.remove(name);
    return changed;
  }

  @Test
  void files(@TempDir Path folder) throws IOException {
    Path text = Files.writeString(folder.resolve("text"), "no model");
    Path empty = Files.createDirectory(folder.resolve("empty"));
    Path nowhere = folder.resolve("nowhere");
    WeightSource closed = ModelFolder.weights(GoldenModel.GOLDEN.resolve("bert"));
    String tensor = closed.names().iterator().next();
    closed.close();
    misuses
        .refuses("ModelFiles.open(null)", "path", () -> ModelFiles.open(null))
        .refuses("ModelFiles.open(nowhere)", "nowhere", () -> ModelFiles.open(nowhere))
        .refuses("ModelFiles.open(empty folder)", "empty", () -> ModelFiles.open(empty))
        .refuses("ModelFiles.open(text file)", "text", () -> ModelFiles.open(text))
        .refuses("ModelFiles.config(null)", "path", () -> ModelFiles.config(null))
        .refuses("ModelFiles.config(text file)", "text", () -> ModelFiles.config(text))
        .refuses("new ModelFiles(null, ..)", "name", () -> new ModelFiles(null, null, null, null))
        .refuses("ModelFolder.weights(empty folder)", "empty", () -> ModelFolder.weights(empty))
        .refuses("SafeTensors.open(null)", "file", () -> SafeTensors.open(null))
        .refuses("SafeTensors.open(folder)", "empty", () -> SafeTensors.open(empty))
        .refuses("SafeTensors.open(text file)", "text", () -> SafeTensors.open(text))
        .refuses("Gguf.open(folder)", "empty", () -> Gguf.open(empty))
        .refuses("Gguf.open(nowhere)", "nowhere", () -> Gguf.open(nowhere))
        .refuses("Llama2c.open(folder)", "empty", () -> Llama2c.open(empty))
        .refuses("WeightSource.read after close()", "closed", () -> closed.read(tensor))
        .refuses("new Checkpoints(null)", "folder", () -> new Checkpoints(null, 1))
        .refuses("Checkpoints.state(text file)", "text", () -> Checkpoints.state(text))
        .check();
  }
}
