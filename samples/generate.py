#!/usr/bin/env python3
"""Writes the sample files beside it. The same script writes the same files, byte for byte."""
import csv
import json
import os
import random

HERE = os.path.dirname(os.path.abspath(__file__))

PRODUCTS = {
    "kettle": ("boils quickly", "takes ages to boil", "the handle"),
    "rucksack": ("carries everything I need", "rubs on the shoulders", "the zip"),
    "desk lamp": ("lights the whole desk", "flickers in the evening", "the switch"),
    "pair of boots": ("kept my feet dry", "let the water in", "the sole"),
    "coffee grinder": ("grinds evenly", "sprays coffee everywhere", "the lid"),
    "keyboard": ("is a joy to type on", "misses every third letter", "the space bar"),
    "tent": ("stood up to a storm", "leaked in the first rain", "the groundsheet"),
    "bicycle pump": ("fills a tyre in a minute", "lets the air out again", "the hose"),
    "frying pan": ("heats evenly", "burns everything in the middle", "the coating"),
    "alarm clock": ("never lets me oversleep", "loses ten minutes a day", "the display"),
    "garden chair": ("is comfortable for hours", "wobbles on flat ground", "the backrest"),
    "radio": ("sounds clear and warm", "crackles at any volume", "the aerial"),
}
OPENINGS = {
    5: ["I love this {p}.", "The best {p} I have ever owned.", "An excellent {p}, worth every penny.",
        "Absolutely delighted with my new {p}.", "Perfect! This {p} is wonderful."],
    4: ["A good {p} on the whole.", "I am happy with this {p}.", "A solid {p}, nearly perfect.",
        "This {p} does its job well.", "Pleased with the {p}, with one small reservation."],
    3: ["An average {p}.", "This {p} is all right, nothing more.", "I have mixed feelings about this {p}.",
        "The {p} is acceptable for the price.", "Neither good nor bad, just a {p}."],
    2: ["A disappointing {p}.", "I expected more from this {p}.", "Not a good {p}, I am afraid.",
        "The {p} is rather poor.", "I would think twice before buying this {p}."],
    1: ["A terrible {p}.", "The worst {p} I have ever bought.", "Do not buy this {p}.",
        "This {p} is useless, a complete waste of money.", "Awful. I sent the {p} back."],
}
DETAILS = {
    5: ["It {good}.", "It {good}, and {part} feels as if it would last for years.", "It {good} and looks beautiful.",
        "Months later it still {good}."],
    4: ["It {good}, though {part} could be better.", "It {good}; only {part} feels a little cheap.",
        "It {good} most of the time.", "It {good}, but it arrived a day late."],
    3: ["It {good}, but {part} is flimsy.", "Some days it {good}, other days it {bad}.",
        "It does what it should, but {part} is nothing special.", "It {good}, yet I would not buy it again."],
    2: ["It {bad}, although it looks nice.", "It {bad}, and {part} came loose.", "Sadly, it {bad}.",
        "It {bad}, and the shop was slow to answer."],
    1: ["It {bad}, and {part} broke on the first day.", "It {bad}, and nobody would refund me.",
        "After a week {part} fell off.", "It {bad}. Avoid it."],
}
ENDINGS = {
    5: ["Highly recommended.", "I have already bought a second one.", "Thank you!", ""],
    4: ["I would recommend it.", "Good value.", "Four stars from me.", ""],
    3: ["It will do.", "You get what you pay for.", "Fine for now.", ""],
    2: ["I may send it back.", "Look elsewhere first.", "A pity.", ""],
    1: ["Never again.", "I want my money back.", "Zero stars if I could.", ""],
}
NAMES = ["Anna", "Ben", "Carla", "David", "Emma", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Kira", "Leo", "Maria",
         "Nils", "Olga", "Paul", "Rosa", "Samir", "Tara", "Viktor"]
CITIES = ["Lisbon", "Oslo", "Vienna", "Dublin", "Prague", "Turin", "Geneva", "Riga", "Bergen", "Porto", "Krakow", "Ghent"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
TRADES = {"baker": "bread", "carpenter": "tables", "potter": "bowls", "weaver": "blankets", "gardener": "roses",
          "clockmaker": "clocks", "printer": "books", "cook": "soup", "tailor": "coats", "painter": "portraits"}


def review(random, stars):
    product = random.choice(sorted(PRODUCTS))
    good, bad, part = PRODUCTS[product]
    sentences = [random.choice(texts[stars]).format(p=product, good=good, bad=bad, part=part)
                 for texts in (OPENINGS, DETAILS, ENDINGS)]
    return " ".join(sentence for sentence in sentences if sentence)


def reviews(random, rows):
    return [(review(random, stars), stars) for stars in (1 + i % 5 for i in range(rows))]


def topics(random, rows):
    """Several labels for a text: what a message to a shop is about."""
    about = {
        "delivery": ["My parcel has not arrived.", "The courier left the box in the rain.", "When will my order be delivered?",
                     "It was shipped to my old address."],
        "price": ["I was charged twice.", "The discount is missing from my bill.", "Is there a cheaper one?",
                  "The price went up overnight."],
        "quality": ["The lid is cracked.", "It stopped working after two days.", "The colour came off in the wash.",
                    "One of the screws is missing."],
        "thanks": ["Thank you for the quick help.", "Your staff were very kind.", "Great service as always.",
                   "I appreciate the prompt answer."],
    }
    result = []
    for _ in range(rows):
        chosen = sorted(random.sample(sorted(about), random.choice([1, 1, 2, 3])))
        sentences = [random.choice(about[topic]) for topic in chosen]
        random.shuffle(sentences)
        greeting = random.choice(["Hello, ", "Hi there. ", "", "", f"This is {random.choice(NAMES)}. "])
        result.append((greeting + " ".join(sentences), ", ".join(chosen)))
    return result


def pairs(random, rows):
    """How similar two sentences are, from 0 to 5."""
    doing = {"plays the guitar": "is playing a guitar", "reads a book": "is reading a book", "slices an onion": "is cutting an onion",
             "rides a horse": "is riding a horse", "paints a wall": "is painting a wall", "feeds the ducks": "is giving food to the ducks",
             "repairs a bicycle": "is fixing a bicycle", "climbs a tree": "is climbing up a tree", "sings a song": "is singing a song",
             "washes the car": "is cleaning the car"}
    people = {"man": "guy", "woman": "lady", "child": "kid", "girl": "young girl", "boy": "young boy"}
    where = ["in the park", "at home", "by the river", "in the street", "after lunch"]
    result = []
    for i in range(rows):
        person, other = random.sample(sorted(people), 2)
        act, another = random.sample(sorted(doing), 2)
        place, elsewhere = random.sample(where, 2)
        second, score = [
            (f"A {people[person]} {doing[act]} {place}.", 5.0),
            (f"A {person} {doing[act]} {elsewhere}.", 4.0),
            (f"A {other} {doing[act]} {place}.", 3.0),
            (f"A {person} {doing[another]} {place}.", 2.0),
            (f"A {person} {doing[another]} {elsewhere}.", 1.0),
            (f"A {other} {doing[another]} {elsewhere}.", 0.0),
        ][i % 6]
        result.append((f"A {person} {act} {place}.", second, score))
    return result


def tagged(random, rows):
    """A tag for every word: PER for people, LOC for places, TIME for days, O for the rest."""
    patterns = ["{PER} flew to {LOC} on {TIME} .", "On {TIME} , {PER} and {PER} met in {LOC} .",
                "The train from {LOC} to {LOC} was late .", "{PER} has lived in {LOC} for ten years .",
                "Please call {PER} before {TIME} .", "The shop in {LOC} is closed on {TIME} .",
                "{PER} sent {PER} a postcard from {LOC} .", "It rained in {LOC} all {TIME} ."]
    words = {"PER": NAMES, "LOC": CITIES, "TIME": DAYS}
    result = []
    for _ in range(rows):
        text, tags = [], []
        for word in random.choice(patterns).split():
            tag = word.strip("{}") if word.startswith("{") else "O"
            text.append(random.choice(words[tag]) if tag != "O" else word)
            tags.append(tag)
        result.append({"text": " ".join(text), "label": " ".join(tags)})
    return result


def answers(random, rows):
    """Questions about a text, each answered by a part of it."""
    result = []
    for i in range(rows):
        name, city, day = random.choice(NAMES), random.choice(CITIES), random.choice(DAYS)
        trade = random.choice(sorted(TRADES))
        goods = TRADES[trade]
        facts = [f"{name} is a {trade} who lives in {city}.", f"Every {day} the workshop opens at {random.randint(6, 10)} o'clock.",
                 f"Customers come from far away for the {goods}.", f"The house has stood there since {random.randint(1750, 1950)}."]
        context = " ".join([facts[0]] + random.sample(facts[1:], 3))
        question, answer = [(f"Where does {name} live?", city), (f"What does {name} do for a living?", trade),
                            ("On which day does the workshop open?", day), ("What do customers come for?", goods)][i % 4]
        result.append({"id": f"q{i}", "question": question, "context": context, "answer": answer,
                       "answer_start": context.index(answer)})
    return result


def unanswered(random, rows):
    """Questions about a text, some of which it does not answer: the sentence with the answer is taken out of every third."""
    result = answers(random, rows)
    for row in result[::3]:
        start = row["answer_start"]
        before, after = row["context"][:start], row["context"][start:]
        row["context"] = (before[:before.rfind(". ") + 2 if ". " in before else 0] + after.partition(". ")[2]).strip()
    return [{"id": row["id"], "question": row["question"], "context": row["context"], "is_impossible": i % 3 == 0,
             "answers": [] if i % 3 == 0 else [{"text": row["answer"], "answer_start": row["answer_start"]}]}
            for i, row in enumerate(result)]


def choices(random, rows):
    result = []
    for _ in range(rows):
        trade = random.choice(sorted(TRADES))
        options = [TRADES[trade]] + random.sample([t for key, t in sorted(TRADES.items()) if key != trade], 3)
        right = options[0]
        random.shuffle(options)
        result.append({"question": f"What does a {trade} make or grow?", "choices": options, "answer": options.index(right)})
    return result


def tasks(random, rows):
    """Instructions with answers."""
    result = []
    for i in range(rows):
        numbers = random.sample(range(2, 60), 4)
        names = random.sample(NAMES, 3)
        city, day = random.choice(CITIES), random.choice(DAYS[:6])
        result.append([
            {"instruction": "Add the two numbers.", "input": f"{numbers[0]} and {numbers[1]}", "output": str(numbers[0] + numbers[1])},
            {"instruction": "Sort the numbers from small to large.", "input": ", ".join(map(str, numbers)),
             "output": ", ".join(map(str, sorted(numbers)))},
            {"instruction": "Put the names in alphabetical order.", "input": ", ".join(names), "output": ", ".join(sorted(names))},
            {"instruction": f"Which day comes after {day}?", "output": DAYS[DAYS.index(day) + 1] + "."},
            {"instruction": "Write the sentence in capital letters.", "input": f"{names[0]} lives in {city}.",
             "output": f"{names[0]} lives in {city}.".upper()},
            {"instruction": "Is this review positive or negative?", "input": review(random, 1 + 4 * (i % 2)),
             "output": ["Negative.", "Positive."][i % 2]},
            {"instruction": f"Invite {names[0]} to dinner on {day}.",
             "output": f"Dear {names[0]}, would you like to come to dinner on {day}? Yours, {names[1]}"},
        ][i % 7])
    return result


def chats(random, rows):
    """Conversations of two or three turns, some with a system's message."""
    result = []
    for i in range(rows):
        asked = tasks(random, 7)
        messages = [{"role": "system", "content": "You answer in few words."}] if i % 3 == 0 else []
        for task in random.sample(asked, 2 + i % 2):
            question = task["instruction"] + ("\n" + task["input"] if "input" in task else "")
            messages += [{"role": "user", "content": question}, {"role": "assistant", "content": task["output"]}]
        result.append({"messages": messages})
    return result


def preferences(random, rows):
    """Two answers to a task, of which the chosen one is right; every third row as messages."""
    result = []
    for i in range(rows):
        task, other = random.sample(tasks(random, 14), 2)
        while other["output"] == task["output"]:
            other = random.choice(tasks(random, 14))
        prompt = task["instruction"] + ("\n" + task["input"] if "input" in task else "")
        if i % 3 == 0:
            result.append({"prompt": [{"role": "user", "content": prompt}],
                           "chosen": [{"role": "assistant", "content": task["output"]}],
                           "rejected": [{"role": "assistant", "content": other["output"]}]})
        else:
            result.append({"prompt": prompt, "chosen": "\n" + task["output"], "rejected": "\n" + other["output"]})
    return result


def story(random):
    name, friend = random.sample(NAMES, 2)
    trade, city = random.choice(sorted(TRADES)), random.choice(CITIES)
    goods = TRADES[trade]
    weather = random.choice(["It was a cold and windy morning.", "The sun was shining.", "It had rained all night.",
                             "Snow lay on the roofs."])
    trouble = random.choice(["But the key would not turn in the door.", f"But all the {goods} were gone.",
                             "But the river had risen over the bridge.", f"But a letter from {friend} was lying on the step."])
    help_ = random.choice([f"\"Do not worry,\" said {friend}. \"I know what to do.\"",
                           f"{friend} laughed and rolled up both sleeves.", f"{friend} thought for a while and went to fetch a ladder.",
                           f"\"We shall try again tomorrow,\" said {friend}."])
    end = random.choice(["In the evening they sat by the fire and told old stories.", "From that day on they were the best of friends.",
                         f"And that is why people in {city} still talk about the {trade}.", "By noon everything was as it should be."])
    return (f"Once upon a time there was a {trade} in {city} whose name was {name}. {weather} {name} got up early to look after the "
            f"{goods}. {trouble} {name} went to ask {friend} for help. {help_} {end}")


def write_table(name, header, rows):
    delimiter = "\t" if name.endswith(".tsv") else ","
    with open(os.path.join(HERE, name), "w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows([header] + rows)


def write_json(name, rows):
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def main():
    write_table("reviews.csv", ("review", "stars"), reviews(random.Random(1), 300))
    write_table("more-reviews.csv", ("review", "stars"), reviews(random.Random(2), 100))
    write_table("topics.csv", ("text", "label"), topics(random.Random(3), 200))
    write_table("pairs.tsv", ("sentence1", "sentence2", "label"), pairs(random.Random(4), 300))
    write_json("tagged.jsonl", tagged(random.Random(5), 200))
    write_json("questions.jsonl", answers(random.Random(6), 200))
    write_json("more-questions.jsonl", answers(random.Random(7), 40))
    write_json("unanswered.jsonl", unanswered(random.Random(12), 150))
    write_json("choices.jsonl", choices(random.Random(8), 60))
    write_json("tasks.jsonl", tasks(random.Random(9), 210))
    write_json("chats.jsonl", chats(random.Random(11), 120))
    write_json("preferences.jsonl", preferences(random.Random(12), 90))
    source = random.Random(10)
    with open(os.path.join(HERE, "stories.txt"), "w", encoding="utf-8") as file:
        file.write("\n\n".join(story(source) for _ in range(80)) + "\n")


main()
