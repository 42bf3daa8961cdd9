"""Characters predicted one after another: Embedding, LSTM, packed into a Module; then sampling."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(7)
words = ["banana", "ananas", "cabana", "savanna", "havana", "nassau"]
letters = [".", *sorted(set("".join(words)))]
index = {letter: i for i, letter in enumerate(letters)}
print(letters)


def encode(word):
    return torch.tensor([index[c] for c in "." + word + "."])


class Speller(nn.Module):
    def __init__(self, size, embed=6, hidden=16):
        super().__init__()
        self.embed = nn.Embedding(size, embed)
        self.lstm = nn.LSTM(embed, hidden, batch_first=True)
        self.out = nn.Linear(hidden, size)

    def forward(self, x, state=None):
        y, state = self.lstm(self.embed(x), state)
        return self.out(y), state


model = Speller(len(letters))
print(model)
optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
for step in range(60):
    loss = torch.zeros(())
    for word in words:
        line = encode(word)
        scores, _ = model(line[None, :-1])
        loss = loss + F.cross_entropy(scores[0], line[1:])
    loss = loss / len(words)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 19:
        print(f"step {step + 1} loss {loss.item():.3f}")


@torch.no_grad()
def spell(first, greedy=True):
    text, state, place = first, None, torch.tensor([[index[first]]])
    while len(text) < 12:
        scores, state = model(place, state)
        chances = F.softmax(scores[0, -1], dim=0)
        choice = chances.argmax() if greedy else torch.multinomial(chances, 1)[0]
        if choice == 0:
            break
        text += letters[choice]
        place = choice.view(1, 1)
    return text


print([spell(c) for c in "bcsh"])
print([spell(c, greedy=False) for c in "abn"])
hidden = model(encode("banana")[None])[1]
print([tuple(h.shape) for h in hidden])
