-- SPDX-License-Identifier: LGPL-2.1-or-later
-- Finds primes, for ever. Neither executable nor with a #! line: Interpreter= says what runs it.
local count, number = 0, 1
while true do
    number = number + 1
    local prime = true
    for divisor = 2, math.floor(math.sqrt(number)) do
        if number % divisor == 0 then
            prime = false
            break
        end
    end
    if prime then
        count = count + 1
    end
    if prime and count == 1000 then
        print("the 1000th prime is " .. number)
        io.stdout:flush()
    end
end
